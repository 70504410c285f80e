/** Reading server-sent events (HTML Living Standard §9.2) over fetch, with reconnects that resume where it broke off. */

import { Fault, limits, Refusal } from '@assay/core';
import { backoffMs, pause } from './backoff.ts';
import { targetOf, type Transport } from './call.ts';
import { failureOf, unreachable } from './failure.ts';
import type { BlockLine, Change } from './generated/types.ts';

/** One event of a stream. */
export interface StreamEvent {
  readonly id: string | undefined;
  readonly event: string;
  readonly data: string;
}

/** What to follow: one job or everything that the caller may see, from after a position or from now. */
export interface Following {
  readonly jobId?: string;
  readonly after?: string;
  readonly signal?: AbortSignal;
  /** Told when the stream opens and when it breaks. */
  readonly onState?: (state: 'open' | 'closed') => void;
}

/** Splits text chunks into events; comments and unknown fields are skipped. */
export async function* parseEvents(chunks: AsyncIterable<string>): AsyncGenerator<StreamEvent> {
  let rest = '';
  let id: string | undefined;
  let event = '';
  let data: string[] = [];
  for await (const chunk of chunks) {
    const lines = (rest + chunk).split(/\r\n|\n|\r(?!$)/);
    rest = lines.pop() ?? '';
    for (const line of lines) {
      if (line === '') {
        if (data.length > 0 || event !== '') yield { id, event: event || 'message', data: data.join('\n') };
        event = '';
        data = [];
        continue;
      }
      const [, name, value] = /^([^:]*):? ?(.*)$/s.exec(line) ?? [];
      if (name === 'id') id = value;
      else if (name === 'event') event = value ?? '';
      else if (name === 'data') data.push(value ?? '');
    }
  }
}

/** Changes without end: a broken stream is opened again after the last position. Throws only refusals and aborts. */
export async function* followChanges(transport: Transport, following: Following): AsyncGenerator<Change> {
  const path = following.jobId === undefined ? '/events' : '/jobs/{id}/events';
  for await (const event of followEvents(transport, path, following)) {
    if (event.event === 'change') yield JSON.parse(event.data) as Change;
  }
}

/** The same for the ledger's new blocks. */
export async function* followBlocks(transport: Transport, following: Following): AsyncGenerator<BlockLine> {
  for await (const event of followEvents(transport, '/ledger/events', following)) {
    if (event.event === 'block') yield JSON.parse(event.data) as BlockLine;
  }
}

type StreamPath = '/events' | '/jobs/{id}/events' | '/ledger/events';

async function* followEvents(
  transport: Transport,
  path: StreamPath,
  following: Following,
): AsyncGenerator<StreamEvent> {
  let { after } = following;
  let failures = 0;
  while (!following.signal?.aborted) {
    try {
      for await (const event of openStream(transport, path, following, after)) {
        failures = 0;
        if (event.id !== undefined && event.id !== '') after = event.id;
        yield event;
      }
    } catch (error) {
      if (following.signal?.aborted) return;
      if (error instanceof Refusal && error.code !== 'request.rate_limited') throw error;
      if (!(error instanceof Refusal || error instanceof Fault)) throw error;
    }
    failures += 1;
    await pause(backoffMs(failures), following.signal).catch(() => undefined);
  }
}

async function* openStream(
  transport: Transport,
  path: StreamPath,
  following: Following,
  after: string | undefined,
): AsyncGenerator<StreamEvent> {
  const silence = new AbortController();
  const stop = following.signal ? AbortSignal.any([following.signal, silence.signal]) : silence.signal;
  const response = await transport
    .fetch(`${transport.baseUrl}${targetOf(path, { id: following.jobId }, { after })}`, {
      headers: { ...transport.headers(), accept: 'text/event-stream' },
      credentials: transport.cookies ? 'same-origin' : 'omit',
      signal: stop,
    })
    .catch((cause: unknown) => {
      throw unreachable(cause);
    });
  if (!response.ok) throw await failureOf(response);
  if (!response.body) throw unreachable(undefined);
  following.onState?.('open');
  try {
    yield* parseEvents(textOf(response.body, silence));
  } finally {
    following.onState?.('closed');
  }
}

/** Text chunks of a body; a server that says nothing for longer than its heartbeats allow counts as gone. */
async function* textOf(body: ReadableStream<Uint8Array>, silence: AbortController): AsyncGenerator<string> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  try {
    for (;;) {
      const timer = setTimeout(() => silence.abort(), limits.eventSilenceMs);
      const { done, value } = await reader
        .read()
        .catch((cause: unknown) => {
          throw unreachable(cause);
        })
        .finally(() => clearTimeout(timer));
      if (done) return;
      yield decoder.decode(value, { stream: true });
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}
