/** What tests of an upgrade do on both engines: submit until it counts, and check what was kept from before. */

import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  Fault,
  fromHex,
  hashOf,
  utf8,
  verifyMerkleConsistency,
  verifyMerklePath,
  type Fact,
  type InclusionProof,
  type Ledger,
  type Sha256Hex,
  type SignedHead,
  type Submission,
} from '@assay/core';
import { platform } from './fabric/listing.setup.ts';

const sha256 = (bytes: Uint8Array): Uint8Array => createHash('sha256').update(bytes).digest();

/** What passes with time, as the outbox of the market sees it; state of a newer version waits for a newer engine. */
const passing: ReadonlySet<string> = new Set(['escrow.window_open', 'ledger.newer_state', 'ledger.unavailable']);

/** Submits until the outcome is known, each time through the engine that `now` names then. */
export async function acknowledged(now: () => Pick<Ledger, 'submit'>, submission: Submission): Promise<Sha256Hex> {
  for (;;) {
    try {
      const [outcome] = await now().submit([submission], platform);
      if (outcome?.kind === 'committed') return outcome.txId;
      const mayPass = outcome?.kind === 'conflict' || (outcome?.kind === 'refused' && passing.has(outcome.code));
      if (!mayPass) throw new Error(`${submission.fn}: ${JSON.stringify(outcome)}`);
    } catch (error) {
      if (!(error instanceof Fault) || !error.retry) throw error;
    }
    await sleep(50);
  }
}

/** Whether a proof leads from its transaction to its head. */
export function isProven({ transaction, txIndex, txCount, txPath, header, chainPath, head }: InclusionProof): boolean {
  const { block, txRoot } = JSON.parse(header) as { block: number; txRoot: Sha256Hex };
  const inBlock = { leaf: utf8(transaction), index: txIndex, size: txCount, path: txPath, root: txRoot };
  const size = Number(head.block) + 1;
  const leaf = fromHex(hashOf(sha256, 'block', JSON.parse(header)));
  const inChain = { leaf, index: block, size, path: chainPath, root: head.chainRoot };
  return verifyMerklePath(sha256, inBlock) && verifyMerklePath(sha256, inChain);
}

/** Whether the ledger still holds a head that somebody kept. */
export async function stillHolds(ledger: Ledger, kept: SignedHead): Promise<boolean> {
  const { path, head } = await ledger.proveConsistency(kept.block);
  return verifyMerkleConsistency(sha256, {
    earlierSize: Number(kept.block) + 1,
    earlierRoot: kept.chainRoot,
    laterSize: Number(head.block) + 1,
    laterRoot: head.chainRoot,
    path,
  });
}

export function factsOf(facts: readonly Fact[], job: string): Fact[] {
  return facts.filter((fact) => (JSON.parse(fact.payload) as { job?: string }).job === job);
}

/** The version that wrote an escrow, as stored. */
export function versionIn(record: string | undefined): number {
  return (JSON.parse(record ?? '{}') as { v?: number }).v ?? 1;
}
