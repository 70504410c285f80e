/**
 * What the simulated Stripe knows: its objects as its API shows them, and every movement on the platform's balance. These
 * are the bank's books, kept apart from ours so that a test can compare the two. Amounts are whole minor units;
 * only the wire and the file carry them as JSON numbers, as Stripe does.
 */

/** What every object has. */
interface WireObject {
  readonly id: string;
  readonly object: string;
  readonly created: number;
  readonly livemode: boolean;
  metadata: Record<string, string>;
}

export interface WireIntent extends WireObject {
  readonly amount: bigint;
  amount_received: bigint;
  readonly currency: string;
  readonly client_secret: string;
  readonly description: string | null;
  readonly transfer_group: string | null;
  status: string;
  payment_method: string | null;
  latest_charge: string | null;
  last_payment_error: Readonly<Record<string, unknown>> | null;
  next_action: Readonly<Record<string, unknown>> | null;
}

export interface WireCharge extends WireObject {
  readonly amount: bigint;
  amount_refunded: bigint;
  readonly currency: string;
  readonly payment_intent: string;
  readonly balance_transaction: string;
  readonly transfer_group: string | null;
  refunded: boolean;
  disputed: boolean;
}

export interface WireRefund extends WireObject {
  readonly amount: bigint;
  readonly currency: string;
  readonly charge: string;
  readonly payment_intent: string;
  readonly balance_transaction: string;
  status: string;
  failure_reason?: string;
}

export interface WireTransfer extends WireObject {
  readonly amount: bigint;
  amount_reversed: bigint;
  reversed: boolean;
  readonly currency: string;
  readonly destination: string;
  readonly source_transaction: string | null;
  readonly transfer_group: string | null;
  readonly balance_transaction: string;
}

export interface WireReversal extends WireObject {
  readonly amount: bigint;
  readonly currency: string;
  readonly transfer: string;
  readonly balance_transaction: string;
}

export interface WirePayout extends WireObject {
  readonly amount: bigint;
  readonly currency: string;
  readonly balance_transaction: string;
  status: string;
  failure_code: string | null;
}

export interface WireDispute extends WireObject {
  readonly amount: bigint;
  readonly currency: string;
  readonly charge: string;
  readonly payment_intent: string;
  status: string;
}

export interface WireAccount extends WireObject {
  readonly configuration: Readonly<Record<string, unknown>>;
  readonly dashboard: string | null;
  /** What has been transferred to it and not reversed or paid out, by currency; not part of the API. */
  held: Record<string, bigint>;
  /** Whether transfers to it are accepted; not part of the API. */
  open: boolean;
}

export interface WireMovement {
  readonly id: string;
  readonly object: 'balance_transaction';
  readonly type: string;
  readonly amount: bigint;
  readonly fee: bigint;
  readonly net: bigint;
  readonly currency: string;
  readonly created: number;
  readonly available_on: number;
  readonly source: string;
  status: string;
}

/** The first answer to a key, which is the answer to all later ones. */
interface KeptAnswer {
  readonly fingerprint: string;
  readonly status: number;
  readonly body: string;
  readonly atMs: number;
}

/** An event that the webhook has not taken yet. */
export interface KeptEvent {
  readonly id: string;
  readonly body: string;
  state: 'waiting' | 'withheld' | 'given_up';
  attempts: number;
}

/** Everything, as plain JSON. */
export interface BankState {
  intents: Record<string, WireIntent>;
  charges: Record<string, WireCharge>;
  refunds: Record<string, WireRefund>;
  transfers: Record<string, WireTransfer>;
  reversals: Record<string, WireReversal>;
  payouts: Record<string, WirePayout>;
  disputes: Record<string, WireDispute>;
  accounts: Record<string, WireAccount>;
  movements: Record<string, WireMovement>;
  answers: Record<string, KeptAnswer>;
  events: KeptEvent[];
}

/** A bank that has just opened. */
export function emptyBank(): BankState {
  return {
    intents: {},
    charges: {},
    refunds: {},
    transfers: {},
    reversals: {},
    payouts: {},
    disputes: {},
    accounts: {},
    movements: {},
    answers: {},
    events: [],
  };
}

/** What is on the platform's balance in a currency: all of it, and what is there already. */
export function balanceOf(bank: BankState, currency: string, nowSeconds: number): { total: bigint; available: bigint } {
  let total = 0n;
  let available = 0n;
  for (const movement of Object.values(bank.movements)) {
    if (movement.currency !== currency) continue;
    total += movement.net;
    if (movement.available_on <= nowSeconds) available += movement.net;
  }
  return { total, available };
}

/** JSON as Stripe writes it: amounts as numbers. */
export function wireJson(value: object): string {
  return JSON.stringify(value, (_key, member: unknown) => (typeof member === 'bigint' ? Number(member) : member));
}

const amountKeys = new Set(['amount', 'amount_received', 'amount_refunded', 'amount_reversed', 'fee', 'net']);

/** A bank as `wireJson` wrote it. */
export function bankFromJson(text: string): BankState {
  return JSON.parse(text, (key, member: unknown) => {
    if (amountKeys.has(key) && typeof member === 'number') return BigInt(member);
    if (key !== 'held') return member;
    return Object.fromEntries(
      Object.entries(member as object).map(([currency, sum]) => [currency, BigInt(sum as number)]),
    );
  }) as BankState;
}
