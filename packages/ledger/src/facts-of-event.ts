/** A transaction's event carries a list of facts. */

import { canonicalJson, limits, type CanonicalValue } from '@assay/core';

/** A fact inside an event. */
export interface EventFact {
  readonly name: string;
  /** Canonical JSON. */
  readonly payload: string;
}

/** The facts of an event, in order; an event of another shape is one fact. */
export function factsOfEvent(event: { readonly name: string; readonly payload: string } | null): readonly EventFact[] {
  if (event === null) return [];
  const list = jsonOf(event.payload);
  if (!Array.isArray(list) || !list.every(isFact)) return [event];
  return list.map(({ name, payload }) => ({ name, payload: canonicalJson(payload) }));
}

/** The job that a fact's payload names, where it is a name that a column holds. */
export function subjectOf(payload: string): string | null {
  const value = jsonOf(payload);
  const job = typeof value === 'object' && value !== null ? (value as { job?: unknown }).job : undefined;
  return typeof job === 'string' && job.length <= limits.ledgerKeyChars && !job.includes('\0') ? job : null;
}

function isFact(item: unknown): item is { name: string; payload: CanonicalValue } {
  const { name, payload } = (item ?? {}) as { name?: unknown; payload?: unknown };
  return typeof name === 'string' && typeof payload === 'object' && payload !== null;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
