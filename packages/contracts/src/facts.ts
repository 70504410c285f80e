/** What the contracts make known. A transaction has one event; it carries a list of facts. */

import { canonicalJson, utf8, type CanonicalValue } from '@assay/core';
import type { Call } from './call.ts';

export const factNames = [
  'ContractListed',
  'ContractClaimed',
  'ContractFunded',
  'WorkSubmitted',
  'ContractVerified',
  'ContractCompleted',
  'ContractDisputed',
  'ContractRefunded',
  'ContractCancelled',
  'DetailsSealed',
  'ChallengeTimerStarted',
  'PayoutTriggered',
  'RefundTriggered',
  'ResultRecorded',
  'ResultsRecorded',
  'ReputationSlashed',
  'ChallengeWindowVoted',
  'ChallengeWindowSet',
] as const;
export type FactName = (typeof factNames)[number];

/** One fact: `payload.job` and `payload.worker` name the contract and the worker that it is about, where there is one. */
export type FactDraft = readonly [name: FactName, payload: Readonly<Record<string, CanonicalValue>>];

/**
 * Sets the transaction's only event: named after the first fact, its payload the canonical JSON of
 * `[{name, payload}, …]`. A second call in the same transaction would replace the first, as on Fabric.
 */
export function emit(ctx: Call, first: FactDraft, ...rest: readonly FactDraft[]): void {
  const facts = [first, ...rest].map(([name, payload]) => ({ name, payload }));
  ctx.stub.setEvent(first[0], utf8(canonicalJson(facts)));
}
