/** Marketplace: what is offered, and who took it up. */

import { canonicalJson, limits, refuse, regions, type WorkerId } from '@assay/core';
import type { Call, ContractVersion } from './call.ts';
import { countOf, hashOfArgument, jobIdOf, malformed, objectOf, oneOf, textOf, workerIdOf } from './arguments.ts';
import { emit } from './facts.ts';
import { LedgerContract } from './ledger-contract.ts';
import {
  contractOf,
  keyOf,
  readRecord,
  recordIn,
  timeMsOf,
  writeRecord,
  type ContractRecord,
  type ListingDetails,
} from './records.ts';
import { hasRole } from './roles.ts';

const verifications = ['exact', 'metric', 'statistical', 'tee'] as const;
const runnerPattern = /^[a-z0-9][a-z0-9._:@/-]{0,127}$/;
const storagePattern = /^[!-~]{1,200}$/;
const cursorPattern = /^(?:ru|eu|us|cn)\/job_[0-9a-f]{32}$/;

export class Marketplace extends LedgerContract {
  constructor(version?: ContractVersion) {
    super('Marketplace', version);
  }

  /** Lists a job as CREATED; refuses `job.exists`. */
  async listContract(ctx: Call, contractId: string, details: string): Promise<string> {
    const id = jobIdOf(contractId);
    const listing = detailsOf(details);
    const key = keyOf(ctx, 'contract', id);
    if ((await readRecord(ctx, key)) !== undefined) throw refuse('job.exists', 'the contract is listed already');
    const atMs = timeMsOf(ctx);
    const record: ContractRecord = {
      id,
      state: 'CREATED',
      details: listing,
      batches: 0,
      listedAtMs: atMs,
      changedAtMs: atMs,
    };
    await writeRecord(ctx, key, record);
    emit(ctx, ['ContractListed', { job: id, details: listing }]);
    return canonicalJson(record);
  }

  /**
   * The funded contracts that still need work, by region and id, as `{items: [{id, …details}], next}`. Filters:
   * `region`, `runner`, `verification`, `limit` and `after` (the `next` of the page before).
   */
  async getAvailableContracts(ctx: Call, filters: string): Promise<string> {
    const { region, runner, verification, after, limit } = filtersOf(filters);
    const items: (ListingDetails & { id: string })[] = [];
    let next: string | null = null;
    let last = '';
    for await (const { key, value } of ctx.stub.getStateByPartialCompositeKey(
      'open',
      region === null ? [] : [region],
    )) {
      const cursor = ctx.stub.splitCompositeKey(key).attributes.join('/');
      if (after !== null && cursor <= after) continue;
      const details = recordIn<ListingDetails & { id: string }>(ctx, value);
      if (runner !== null && details.runner !== runner) continue;
      if (verification !== null && details.verification !== verification) continue;
      if (items.length === limit) {
        next = last;
        break;
      }
      items.push(details);
      last = cursor;
    }
    return canonicalJson({ items, next });
  }

  /** Records that a worker takes part; a worker's own certificate may only name itself. */
  async claimContract(ctx: Call, workerId: string, contractId: string): Promise<string> {
    const worker = workerIdOf(workerId);
    const job = jobIdOf(contractId);
    if (!hasRole(ctx, 'orchestrator') && !isSelf(ctx, worker)) {
      throw refuse('auth.forbidden', 'a worker claims for itself only');
    }
    const contract = await contractOf(ctx, job);
    if (contract.state !== 'FUNDED') throw refuse('job.wrong_state', `a ${contract.state} contract cannot be claimed`);
    const key = keyOf(ctx, 'claim', job, worker);
    const known = await readRecord<{ job: string; worker: string; atMs: number }>(ctx, key);
    if (known !== undefined) return canonicalJson(known);
    const claim = { job, worker, atMs: timeMsOf(ctx) };
    await writeRecord(ctx, key, claim);
    emit(ctx, ['ContractClaimed', { job, worker }]);
    return canonicalJson(claim);
  }
}

function isSelf(ctx: Call, worker: WorkerId): boolean {
  return ctx.clientIdentity.assertAttributeValue('hf.EnrollmentID', worker);
}

function detailsOf(text: string): ListingDetails {
  const given = objectOf('details', text, [
    'manifestHash',
    'bundleDigest',
    'termsHash',
    'requirementsHash',
    'region',
    'runner',
    'verification',
    'redundancy',
    'units',
    'storage',
  ]);
  return {
    manifestHash: hashOfArgument('manifestHash', given['manifestHash']),
    bundleDigest: hashOfArgument('bundleDigest', given['bundleDigest']),
    termsHash: hashOfArgument('termsHash', given['termsHash']),
    requirementsHash:
      given['requirementsHash'] === null ? null : hashOfArgument('requirementsHash', given['requirementsHash']),
    region: oneOf('region', given['region'], regions),
    runner: textOf('runner', given['runner'], runnerPattern),
    verification: oneOf('verification', given['verification'], verifications),
    redundancy: countOf('redundancy', given['redundancy'], 1, limits.redundancy),
    // The merge is a unit of its own.
    units: countOf('units', given['units'], 1, limits.chunks + 1),
    storage: textOf('storage', given['storage'], storagePattern),
  };
}

interface Filters {
  readonly region: string | null;
  readonly runner: string | null;
  readonly verification: string | null;
  readonly after: string | null;
  readonly limit: number;
}

function filtersOf(text: string): Filters {
  const given = objectOf('filters', text, [], ['region', 'runner', 'verification', 'after', 'limit']);
  const optional = <Value>(name: string, parse: (value: unknown) => Value): Value | null =>
    given[name] === undefined ? null : parse(given[name]);
  const region = optional('region', (value) => oneOf('region', value, regions));
  const after = optional('after', (value) => textOf('after', value, cursorPattern));
  if (region !== null && after !== null && !after.startsWith(`${region}/`))
    throw malformed('after is of another region');
  return {
    region,
    runner: optional('runner', (value) => textOf('runner', value, runnerPattern)),
    verification: optional('verification', (value) => oneOf('verification', value, verifications)),
    after,
    limit: optional('limit', (value) => countOf('limit', value, 1, limits.ledgerPageItems)) ?? limits.ledgerPageItems,
  };
}
