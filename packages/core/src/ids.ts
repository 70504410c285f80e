/** Ids are branded strings: a prefix that names the kind, `_`, and the 32 hex digits of a UUIDv7. */

import type { Branded } from './branded.ts';
import { toHex } from './hash.ts';

/** The prefix that each kind of id is written with. */
export const idPrefixes = {
  account: 'acc',
  session: 'ses',
  apiKey: 'key',
  worker: 'wrk',
  job: 'job',
  unit: 'unt',
  replica: 'rep',
  dispute: 'dsp',
  payment: 'pay',
  payout: 'out',
  payoutAccount: 'pac',
  refund: 'ref',
  request: 'req',
  entry: 'jnl',
  outbox: 'box',
} as const;

export type IdKind = keyof typeof idPrefixes;
export type Id<Kind extends IdKind> = Branded<Kind>;
export type AccountId = Id<'account'>;
export type SessionId = Id<'session'>;
export type ApiKeyId = Id<'apiKey'>;
export type WorkerId = Id<'worker'>;
export type JobId = Id<'job'>;
export type UnitId = Id<'unit'>;
export type ReplicaId = Id<'replica'>;
export type DisputeId = Id<'dispute'>;
export type PaymentId = Id<'payment'>;
export type PayoutId = Id<'payout'>;
export type PayoutAccountId = Id<'payoutAccount'>;
export type RefundId = Id<'refund'>;
export type RequestId = Id<'request'>;

/** Where ids come from: the system's source draws from a CSPRNG, the simulator's from its seed. */
export interface IdSource {
  /** 32 lower-case hex digits of a fresh UUIDv7. */
  next(): string;
}

const idTail = /^[0-9a-f]{32}$/;

/** A fresh id of `kind`. */
export function newId<Kind extends IdKind>(kind: Kind, source: IdSource): Id<Kind> {
  return `${idPrefixes[kind]}_${source.next()}` as Id<Kind>;
}

/** `text` as an id of `kind`, or undefined when it is not written as one. */
export function parseId<Kind extends IdKind>(kind: Kind, text: unknown): Id<Kind> | undefined {
  if (typeof text !== 'string') return undefined;
  const prefix = `${idPrefixes[kind]}_`;
  if (!text.startsWith(prefix) || !idTail.test(text.slice(prefix.length))) return undefined;
  return text as Id<Kind>;
}

/** The regular expression, for JSON Schema, that ids of `kind` match. */
export function idPattern(kind: IdKind): string {
  return `^${idPrefixes[kind]}_[0-9a-f]{32}$`;
}

/**
 * An id source over 10 random bytes a call and a clock in milliseconds, in the layout of RFC 9562 §5.7. Ids of one
 * source ascend: within a millisecond the 12 bits after the version count up.
 */
export function uuidV7Source(nowMs: () => number, randomBytes: (count: number) => Uint8Array): IdSource {
  let lastMs = 0;
  let counter = 0;
  return {
    next() {
      const ms = Math.max(nowMs(), lastMs);
      counter = ms === lastMs ? counter + 1 : 0;
      lastMs = counter > 0xfff ? ms + 1 : ms;
      if (counter > 0xfff) counter = 0;
      const tail = randomBytes(8);
      tail[0] = 0x80 | ((tail[0] ?? 0) & 0x3f);
      return `${lastMs.toString(16).padStart(12, '0')}7${counter.toString(16).padStart(3, '0')}${toHex(tail)}`;
    },
  };
}
