/** The books of the bank in memory: what it holds, what moved, what it told by webhook, which keys it remembers. */

import { refuse } from '../errors.ts';
import { hashOf, toHex, utf8, type Sha256 } from '../hash.ts';
import { money } from '../money.ts';
import type { Movement, Outcome, ProviderPayment, ProviderPayout, ProviderRefund } from './payment-provider.ts';

/** One webhook as it was sent. */
export interface Delivery {
  readonly raw: Uint8Array;
  readonly headers: Readonly<Record<string, string>>;
}

type Held = ProviderPayment | ProviderPayout | ProviderRefund;
type Kind = 'payment' | 'payout' | 'refund';

export interface MemoryBank {
  readonly payments: Map<string, ProviderPayment>;
  readonly payouts: Map<string, ProviderPayout>;
  /** With the payment that each gives back. */
  readonly refunds: Map<string, ProviderRefund & { readonly of: string }>;
  readonly recipients: Set<string>;
  readonly movements: Movement[];
  readonly deliveries: Delivery[];
  nowMs(): number;
  freshId(kind: string): string;
  /** What the movements sum to. */
  balanceMinor(): bigint;
  move(kind: Movement['kind'], one: Held, direction: 1n | -1n): void;
  tell(object: Kind, providerId: string): void;
  sign(atMs: number, raw: Uint8Array): string;
  /** Hands the outcome on, unless it is to get lost. */
  answer<T>(outcome: Outcome<T>): Outcome<T>;
  loseNextAnswer(): void;
  /** Runs `create` once per key and answers with what `find` sees now; another request under the key is neither. */
  once<T>(key: string, request: unknown, find: (id: string) => T, create: () => string | Outcome<never>): Outcome<T>;
}

/** Opens empty books. */
export function openMemoryBank(sha256: Sha256, nowMs: () => number, secret: string): MemoryBank {
  const movements: Movement[] = [];
  const deliveries: Delivery[] = [];
  const answered = new Map<string, { request: string; id: string }>();
  let serial = 0;
  let loseAnswer = false;
  const bank: MemoryBank = {
    payments: new Map(),
    payouts: new Map(),
    refunds: new Map(),
    recipients: new Set(),
    movements,
    deliveries,
    nowMs,
    freshId: (kind) => `mem_${kind}_${(serial += 1)}`,
    balanceMinor: () => movements.reduce((sum, one) => sum + one.amount.minor, 0n),
    move(kind, one, direction) {
      const amount = money(one.amount.currency, one.amount.minor * direction);
      movements.push({ providerId: one.providerId, kind, reference: one.reference, amount, atMs: nowMs() });
    },
    tell(object, providerId) {
      const at = nowMs();
      const raw = utf8(JSON.stringify({ id: bank.freshId('event'), object, providerId, at }));
      deliveries.push({ raw, headers: { 'memory-signature': `${at}.${bank.sign(at, raw)}` } });
    },
    sign: (atMs, raw) => hashOf(sha256, 'memory-webhook', { secret, atMs, body: toHex(sha256(raw)) }),
    answer(outcome) {
      const lost = loseAnswer;
      loseAnswer = false;
      return lost ? { kind: 'unknown', message: 'the connection was reset' } : outcome;
    },
    loseNextAnswer() {
      loseAnswer = true;
    },
    once(key, request, find, create) {
      const wanted = JSON.stringify(request, (_, value: unknown) => (typeof value === 'bigint' ? `${value}` : value));
      const known = answered.get(key);
      if (known && known.request !== wanted) {
        return bank.answer({ kind: 'unknown', message: 'the key was used with another request' });
      }
      const made = known?.id ?? create();
      if (typeof made !== 'string') return bank.answer(made);
      answered.set(key, { request: wanted, id: made });
      return bank.answer({ kind: 'ok', value: find(made) });
    },
  };
  return bank;
}

/** A definite no. */
export function no(code: string, message: string): Outcome<never> {
  return { kind: 'refused', code, message };
}

/** What is called `id`; refuses `payment.refused`. */
export function held<T>(map: ReadonlyMap<string, T>, id: string): T {
  const value = map.get(id);
  if (value === undefined) throw refuse('payment.refused', `nothing is called ${id}`, { id });
  return value;
}
