/** The facts on the ledger: that they are there, under signed heads, and that they say what the receipt says. */

import {
  batchRoots,
  canonicalJson,
  fromHex,
  hashOf,
  headMessage,
  manifestHash,
  moneyFromJson,
  rulingHash,
  termsHash,
  treeDigest,
  utf8,
  verifyMerklePath,
  type CanonicalValue,
  type JudgedUnit,
  type ReceiptFact,
  type ReceiptUnit,
} from '@assay/core';
import { statementOf } from './check-evidence.ts';
import { hold, invalid, type ReceiptContext } from './receipt-context.ts';

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
    const message = utf8(headMessage({ ...head, block: BigInt(head.block) }));
    const signed = crypto.verifyEd25519(fromHex(head.signature), message, fromHex(head.publicKey));
    hold(signed, `the head of block ${head.block} is not signed by its key`);
  }
}

/** Each transaction is in the chain under its head, valid, and they stand in the order of the chain. */
export function checkInclusion(context: ReceiptContext): void {
  let last: readonly [block: number, txIndex: number] = [-1, -1];
  for (const fact of context.receipt.ledger.facts) {
    const block = checkProof(context, fact);
    const later = block > last[0] || (block === last[0] && fact.txIndex > last[1]);
    hold(later, 'the transactions are not in the order of the chain');
    last = [block, fact.txIndex];
  }
}

function checkProof({ receipt, crypto }: ReceiptContext, fact: ReceiptFact): number {
  const { sha256 } = crypto;
  const head = receipt.ledger.heads[fact.head];
  const header = objectIn(fact.header);
  const { block, txRoot, txCount } = header;
  hold(head !== undefined, 'a transaction points to no head');
  hold(
    typeof block === 'number' && typeof txRoot === 'string' && typeof txCount === 'number',
    'a header is incomplete',
  );
  const leaf = utf8(fact.transaction);
  const inBlock = verifyMerklePath(sha256, {
    leaf,
    index: fact.txIndex,
    size: txCount,
    path: fact.txPath,
    root: txRoot,
  });
  hold(inBlock, `a transaction is not in block ${block}`);
  const blockHash = hashOf(sha256, 'block', header as CanonicalValue & object);
  const inChain = verifyMerklePath(sha256, {
    leaf: fromHex(blockHash),
    index: block,
    size: head.block + 1,
    path: fact.chainPath,
    root: head.chainRoot,
  });
  hold(inChain, `block ${block} is not under the head of block ${head.block}`);
  hold(block !== head.block || blockHash === head.blockHash, `the head names another block ${block}`);
  return block;
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

/** The object in a JSON text, which must be canonical unless it is an argument as someone sent it. */
function objectIn(text: string, canonical = true): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
    if (canonical && canonicalJson(value as CanonicalValue) !== text) throw invalid('not canonical JSON');
  } catch {
    throw invalid('a ledger record is not canonical JSON');
  }
  hold(typeof value === 'object' && value !== null && !Array.isArray(value), 'a ledger record is no object');
  return value as Record<string, unknown>;
}
