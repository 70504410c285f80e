/** Who did what: signed requests, commitments, and statements under the roots that the devices signed. */

import {
  commitLeaf,
  commitmentOf,
  envelopeText,
  fromHex,
  merkleLeaf,
  parseSha256,
  rootOfSidedPath,
  statementLeaf,
  toHex,
  treeDigest,
  utf8,
  type EnvelopeLeaf,
  type ReceiptReplica,
  type ReceiptUnit,
  type ResultStatement,
} from '@assay/core';
import { hold, type ReceiptContext } from './receipt-context.ts';

/** Each device is listed once and has signed each of its requests. */
export function checkSignatures({ receipt, crypto }: ReceiptContext): void {
  const keys = new Map(receipt.devices.map((device) => [device.worker, fromHex(device.publicKey)]));
  hold(keys.size === receipt.devices.length, 'a device is listed twice');
  hold(
    new Set(receipt.envelopes.map((one) => one.request)).size === receipt.envelopes.length,
    'a request is listed twice',
  );
  for (const envelope of receipt.envelopes) {
    const key = keys.get(envelope.worker);
    hold(key !== undefined, `${envelope.worker} is not among the devices`);
    const message = utf8(envelopeText(envelope));
    const signed = crypto.verifyEd25519(fromHex(envelope.signature), message, key);
    hold(signed, `the signature of ${envelope.request} is not by ${envelope.worker}`);
  }
}

/** Each commitment binds the revealed result. */
export function checkCommitments({ receipt, crypto }: ReceiptContext): void {
  for (const unit of receipt.units) {
    for (const { replica, worker, nonce, digest, commitment } of unit.replicas) {
      const bound = commitmentOf(crypto.sha256, { job: receipt.job, unit: unit.unit, worker, nonce, digest });
      hold(bound === commitment, `the commitment of ${replica} does not bind its result`);
    }
  }
}

/** Each commitment and each result is part of a request that its device signed; no request or device is idle. */
export function checkStatements(context: ReceiptContext): void {
  const { receipt, crypto } = context;
  const used = { envelopes: new Set<number>(), workers: new Set<string>() };
  for (const unit of receipt.units) {
    for (const replica of unit.replicas) {
      const statement = statementLeaf(statementOf(context, unit, replica));
      const places: [EnvelopeLeaf, Uint8Array, string][] = [
        [replica.committed, commitLeaf(replica.replica, replica.commitment), 'commitment'],
        [replica.revealed, statement, 'result'],
      ];
      for (const [place, leaf, what] of places) {
        const envelope = receipt.envelopes[place.envelope];
        hold(
          envelope?.worker === replica.worker,
          `the ${what} of ${replica.replica} points to another device's request`,
        );
        const root = rootOfSidedPath(crypto.sha256, merkleLeaf(crypto.sha256, leaf), place.path);
        hold(
          root === envelope.statementsRoot,
          `the ${what} of ${replica.replica} is not in the request that was signed`,
        );
        used.envelopes.add(place.envelope);
      }
      used.workers.add(replica.worker);
    }
  }
  hold(used.envelopes.size === receipt.envelopes.length, 'a request is listed that nothing points to');
  hold(used.workers.size === receipt.devices.length, 'a device is listed that revealed nothing');
}

/** The files of each unit's result are those of the canonical replica, its metrics file included. */
export function checkOutputs({ receipt, crypto }: ReceiptContext): void {
  for (const unit of receipt.units) {
    hold(
      treeDigest(crypto.sha256, unit.outputs) === unit.verdict.digest,
      `the files of ${unit.unit} are not its result`,
    );
    const canonical = unit.replicas.find((one) => one.replica === unit.verdict.canonical);
    hold(canonical !== undefined, `the canonical replica of ${unit.unit} is not listed`);
    if (canonical.metrics === null) continue;
    const sha256 = toHex(crypto.sha256(utf8(canonical.metrics)));
    const listed = unit.outputs.some((file) => file.path === 'metrics.json' && file.sha256 === sha256);
    hold(listed, `the metrics of ${canonical.replica} are not among its files`);
  }
}

/** What the replica's device stated about its result. */
export function statementOf(
  { receipt, crypto }: ReceiptContext,
  unit: ReceiptUnit,
  one: ReceiptReplica,
): ResultStatement {
  const { replica, worker, machineClass, digest, exitCode } = one;
  const metrics = one.metrics === null ? null : (parseSha256(toHex(crypto.sha256(utf8(one.metrics)))) ?? null);
  return { job: receipt.job, unit: unit.unit, replica, worker, machineClass, digest, exitCode, metrics };
}
