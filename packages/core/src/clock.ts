/** The only source of time: programs inject the system's clock, simulations their own. */
export interface Clock {
  /** Milliseconds since 1970-01-01 UTC. */
  nowMs(): number;
}

/** ISO 8601 in UTC with milliseconds, as the API and receipts write instants. */
export function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}
