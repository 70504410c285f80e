/** Checks a receipt offline: no account, no server, nothing but its text and these rules. */

import {
  canonicalJson,
  limits,
  Refusal,
  type CanonicalValue,
  type ErrorCode,
  type Manifest,
  type MoneyJson,
  type Receipt,
  type ShapeFault,
} from '@assay/core';
import { checkCommitments, checkOutputs, checkSignatures, checkStatements } from './check-evidence.ts';
import { checkFacts, checkHeads, checkInclusion } from './check-ledger.ts';
import { checkMoney } from './check-money.ts';
import { checkBundle, checkComparator, checkTerms, manifestOf } from './check-order.ts';
import { checkVerdicts } from './check-verdicts.ts';
import type { ReceiptContext } from './receipt-context.ts';
import { portableCrypto, type ReceiptCrypto } from './receipt-crypto.ts';
import { receiptShape } from './receipt-shape.ts';

/** The parts of a receipt in the order in which they are checked; the first that does not hold is named. */
export const receiptParts = [
  'text',
  'shape',
  'manifest',
  'comparator',
  'bundle',
  'terms',
  'commitments',
  'outputs',
  'verdicts',
  'statements',
  'ledger inclusion',
  'ledger facts',
  'money',
  'device signatures',
  'ledger signature',
] as const;
export type ReceiptPart = (typeof receiptParts)[number];

export interface ReceiptTrust {
  /** Keys of ledgers that the reader knows; without them the summary says who signed, and the reader decides. */
  readonly ledgerKeys?: readonly string[];
  /** Faster primitives than the portable ones. */
  readonly crypto?: ReceiptCrypto;
}

/** What a valid receipt proves, in short. */
export interface ReceiptSummary {
  readonly job: string;
  readonly state: Receipt['state'];
  readonly runner: string;
  /** Every class of machine that gave a result, ascending. */
  readonly machineClasses: readonly string[];
  readonly units: number;
  readonly replicas: number;
  readonly agreed: number;
  /** Revealed results outside the agreement. */
  readonly disagreed: number;
  readonly deposit: MoneyJson;
  readonly refunded: MoneyJson | null;
  readonly ledgerKey: string;
  /** Whether the reader named the ledger's key as trusted. */
  readonly ledgerKeyTrusted: boolean;
  readonly block: number;
}

export type ReceiptVerdict =
  | {
      readonly ok: true;
      readonly summary: ReceiptSummary;
      readonly checks: readonly { readonly part: ReceiptPart; readonly ok: true }[];
    }
  | { readonly ok: false; readonly part: ReceiptPart; readonly code: ErrorCode; readonly message: string };

type Check = readonly [part: ReceiptPart, check: (context: ReceiptContext) => void];

/** Hashes come before signatures: what is cheap to refute is refuted first. */
const checks: readonly Check[] = [
  ['comparator', checkComparator],
  ['bundle', checkBundle],
  ['terms', checkTerms],
  ['commitments', checkCommitments],
  ['outputs', checkOutputs],
  ['verdicts', checkVerdicts],
  ['statements', checkStatements],
  ['ledger inclusion', checkInclusion],
  ['ledger facts', checkFacts],
  ['money', checkMoney],
  ['device signatures', checkSignatures],
  ['ledger signature', checkHeads],
];

/** Checks the text of a receipt file (canonical JSON and a line feed); never throws for what the text says. */
export function verifyReceipt(text: unknown, trust: ReceiptTrust = {}): ReceiptVerdict {
  let part: ReceiptPart = 'text';
  try {
    const value = readText(text);
    part = 'shape';
    const receipt = readShape(value);
    part = 'manifest';
    const manifest = manifestOf(receipt);
    const context = { receipt, manifest, crypto: trust.crypto ?? portableCrypto, ledgerKeys: trust.ledgerKeys };
    for (const [name, check] of checks) {
      part = name;
      check(context);
    }
    return {
      ok: true,
      summary: summaryOf(receipt, manifest, trust),
      checks: receiptParts.map((name) => ({ part: name, ok: true })),
    };
  } catch (error) {
    if (error instanceof Refusal) return { ok: false, part, code: error.code, message: error.message };
    throw error;
  }
}

function readText(text: unknown): unknown {
  if (typeof text !== 'string') throw malformed('a receipt is a text');
  if (text.length > limits.receiptBytes) throw malformed(`a receipt has at most ${limits.receiptBytes} characters`);
  let canonical: string;
  let value: unknown;
  try {
    value = JSON.parse(text);
    canonical = `${canonicalJson(value as CanonicalValue)}\n`;
  } catch (error) {
    throw malformed(
      `the text is no JSON that a receipt could be: ${error instanceof Error ? error.message : 'unreadable'}`,
    );
  }
  if (canonical !== text) throw malformed('the text is not canonical JSON with a line feed at its end');
  return value;
}

function readShape(value: unknown): Receipt {
  const faults: ShapeFault[] = [];
  const receipt = receiptShape.read(value, '', (fault) => faults.push(fault));
  const [first] = faults;
  if (first !== undefined || receipt === undefined) {
    throw malformed(`${first?.path || 'the receipt'} ${first?.message ?? 'is not read'}`);
  }
  return receipt;
}

function malformed(message: string): Refusal {
  return new Refusal('receipt.malformed', message);
}

function summaryOf(receipt: Receipt, manifest: Manifest, trust: ReceiptTrust): ReceiptSummary {
  const replicas = receipt.units.reduce((sum, unit) => sum + unit.replicas.length, 0);
  const agreed = receipt.units.reduce((sum, unit) => sum + unit.verdict.agreeing.length, 0);
  const head = receipt.ledger.heads.at(-1);
  return {
    job: receipt.job,
    state: receipt.state,
    runner: manifest.runner,
    machineClasses: [
      ...new Set(receipt.units.flatMap((unit) => unit.replicas.map((one) => one.machineClass))),
    ].toSorted(),
    units: receipt.units.length,
    replicas,
    agreed,
    disagreed: replicas - agreed,
    deposit: receipt.terms.deposit,
    refunded: receipt.money?.refunded ?? null,
    ledgerKey: head?.publicKey ?? '',
    ledgerKeyTrusted: trust.ledgerKeys !== undefined,
    block: head?.block ?? 0,
  };
}
