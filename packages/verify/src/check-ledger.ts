/** The facts on the ledger: that they are there, under signed heads, and that they say what the receipt says. */

import {
  batchRoots,
  manifestHash,
  moneyFromJson,
  rulingHash,
  termsHash,
  treeDigest,
  type JudgedUnit,
  type ReceiptUnit,
} from '@assay/core';
import { statementOf } from './check-evidence.ts';
import { holdIncluded, holdSigned, objectIn } from './ledger-inclusion.ts';
import { hold, type ReceiptContext } from './receipt-context.ts';

/** The heads are signed by one key, which the reader trusts. */
export function checkHeads({ receipt, crypto, ledgerKeys }: ReceiptContext): void {
  const { heads, facts } = receipt.ledger;
  const used = new Set(facts.map((fact) => fact.head));
  hold(heads.length > 0 && used.size === heads.length, 'a head is listed that nothing points to');
  for (const head of heads) {
    hold(head.publicKey === heads[0]?.publicKey, 'the heads are signed by different keys');
    hold(
      ledgerKeys === undefined || ledgerKeys.includes(head.publicKey),
      `${head.publicKey} is not a trusted ledger key`,
    );
    holdSigned(crypto, head);
  }
}

/** Each transaction is in the chain under its head, valid, and they stand in the order of the chain. */
export function checkInclusion({ receipt, crypto }: ReceiptContext): void {
  let last: readonly [block: number, txIndex: number] = [-1, -1];
  for (const fact of receipt.ledger.facts) {
    const head = receipt.ledger.heads[fact.head];
    hold(head !== undefined, 'a transaction points to no head');
    const { block } = holdIncluded(crypto.sha256, fact, head);
    const later = block > last[0] || (block === last[0] && fact.txIndex > last[1]);
    hold(later, 'the transactions are not in the order of the chain');
    last = [block, fact.txIndex];
  }
}

interface Call {
  readonly name: string;
  readonly args: readonly string[];
}

/** The transactions are the life of this job, and their hashes are those of what the receipt holds. */
export function checkFacts(context: ReceiptContext): void {
  const { receipt } = context;
  const calls = receipt.ledger.facts.map((fact) => callIn(fact.transaction));
  for (const call of calls) hold(call.args[0] === receipt.job, `${call.name} is about another job`);
  const batches = calls.filter((call) => call.name === 'Contract.submitWork');
  const ending = endOf(context);
  const expected = [
    'Marketplace.listContract',
    'Contract.activateContract',
    ...batches.map(() => 'Contract.submitWork'),
    'Contract.verifyWork',
    ...(ending ? [ending.name] : []),
  ];
  const found = calls.map((call) => call.name);
  hold(found.join() === expected.join(), `expected ${expected.join(', ')}, found ${found.join(', ')}`);
  checkListing(context, calls[0]?.args[1] ?? '');
  hold(batches.length > 0, 'no work was submitted');
  batches.forEach((call, index) => checkBatch(context, call, index));
  hold(
    receipt.units.every((unit) => unit.batch < batches.length),
    'a unit is in no batch',
  );
  const last = calls.at(-1);
  if (ending) hold(last?.args.slice(1).join() === ending.args.join(), `${ending.name} says something else`);
}

function endOf({ receipt, crypto }: ReceiptContext): Call | undefined {
  const { ruling, state, job } = receipt;
  if (ruling) {
    const read = { ...ruling, refund: moneyFromJson(ruling.refund) };
    return { name: 'Contract.resolveDispute', args: [ruling.outcome, rulingHash(crypto.sha256, job, read)] };
  }
  return state === 'completed' ? { name: 'Contract.completeContract', args: [] } : undefined;
}

function checkListing({ receipt, manifest, crypto }: ReceiptContext, details: string): void {
  const listed = objectIn(details, false);
  const { perReplica, cap, deposit, redundancy, units } = receipt.terms;
  const terms = {
    perReplica: moneyFromJson(perReplica),
    cap: moneyFromJson(cap),
    deposit: moneyFromJson(deposit),
    redundancy,
    units,
  };
  const expected = {
    manifestHash: manifestHash(crypto.sha256, manifest),
    bundleDigest: treeDigest(crypto.sha256, receipt.bundle),
    termsHash: termsHash(crypto.sha256, terms),
    requirementsHash: receipt.bundle.find((file) => file.path === 'requirements.txt')?.sha256 ?? null,
    runner: manifest.runner,
    verification: manifest.verification.type,
    redundancy,
    units,
  };
  for (const [key, value] of Object.entries(expected)) hold(listed[key] === value, `the listing has another ${key}`);
}

function checkBatch(context: ReceiptContext, call: Call, index: number): void {
  const units = context.receipt.units.filter((unit) => unit.batch === index);
  const roots = batchRoots(
    context.crypto.sha256,
    units.map((unit) => judgedUnit(context, unit)),
  );
  hold(call.args[1] === roots.proofHash, `the statements of batch ${index} are not those on the ledger`);
  hold(call.args[2] === roots.resultHash, `the verdicts of batch ${index} are not those on the ledger`);
}

function judgedUnit(context: ReceiptContext, unit: ReceiptUnit): JudgedUnit {
  return {
    verdict: { ...unit.verdict, unit: unit.unit, ordinal: unit.ordinal, kind: unit.kind },
    statements: unit.replicas.map((one) => statementOf(context, unit, one)),
  };
}

function callIn(transaction: string): Call {
  const { contract, fn, args, code } = objectIn(transaction);
  hold(code === 0, 'a transaction is not valid');
  const list = Array.isArray(args) && args.every((arg) => typeof arg === 'string') ? args : undefined;
  hold(typeof contract === 'string' && typeof fn === 'string' && list !== undefined, 'a transaction is no call');
  return { name: `${contract}.${fn}`, args: list };
}
