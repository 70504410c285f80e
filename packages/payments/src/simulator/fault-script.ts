/** What goes wrong on the way to the simulated bank, in the order that a test wrote it down. */

/** What may happen to a request. */
export type WireFault =
  /** The connection is reset before anything happens. */
  | 'drop_before'
  /** It happens, then the connection is reset. */
  | 'drop_after'
  /** It happens, and the answer ends half-way. */
  | 'half_body'
  /** It does not happen: 500, and nothing is kept for the key. */
  | 'fail_500'
  /** It does not happen: 500, and that stays the answer to the key. */
  | 'kept_500'
  /** It happens, and the answer is a 500 that is not kept. */
  | 'happened_500'
  /** It is not looked at: 429. */
  | 'rate_limited'
  /** It is not looked at: 409, another request with the key is running. */
  | 'key_in_use'
  /** It happens, but no answer comes until the caller hangs up. */
  | 'silence';

/** What may happen to an event on its way to the webhook. */
export type WebhookFault =
  /** It is sent twice. */
  | 'duplicate'
  /** It waits until it is released. */
  | 'withhold'
  /** It comes after the event that follows it. */
  | 'reorder';

/** Faults yet to happen. */
export interface FaultScript {
  /** The next `times` requests of `method` whose path starts with `path` suffer `fault`. */
  onRequest(fault: WireFault, match: { method: string; path: string }, times?: number): void;
  /** The next `times` events of `type` suffer `fault`. */
  onEvent(fault: WebhookFault, type: string, times?: number): void;
  /** Takes the fault for a request, if there is one. */
  takeRequest(method: string, path: string): WireFault | undefined;
  /** Takes the fault for an event, if there is one. */
  takeEvent(type: string): WebhookFault | undefined;
}

/** An empty script. */
export function faultScript(): FaultScript {
  const requests: { fault: WireFault; method: string; path: string; times: number }[] = [];
  const events: { fault: WebhookFault; type: string; times: number }[] = [];
  return {
    onRequest: (fault, match, times = 1) => void requests.push({ fault, ...match, times }),
    onEvent: (fault, type, times = 1) => void events.push({ fault, type, times }),
    takeRequest: (method, path) =>
      take(requests, (planned) => planned.method === method && path.startsWith(planned.path)),
    takeEvent: (type) => take(events, (planned) => planned.type === type),
  };
}

function take<T extends { fault: unknown; times: number }>(
  planned: T[],
  fits: (each: T) => boolean,
): T['fault'] | undefined {
  const next = planned.find((each) => each.times > 0 && fits(each));
  if (!next) return undefined;
  next.times -= 1;
  return next.fault;
}
