/** Orders: from a manifest and its bundle to a job that waits for its payment. */

import {
  hashOf,
  manifestHash,
  missingFiles,
  newId,
  parseManifest,
  quoteJob,
  refuse,
  termsHash,
  treeDigest,
  type AccountId,
  type JobRow,
  type Manifest,
  type Money,
  type NewJob,
  type Quote,
  type Sha256Hex,
  type Tree,
} from '@assay/core';
import { refuseBanned } from './own-job.ts';
import { queueLedger } from './ledger-call.ts';
import type { TradeDeps } from './trade-deps.ts';

export type QuoteDeps = Pick<TradeDeps, 'sha256' | 'providers' | 'terms'>;
export type CreateDeps = QuoteDeps & Pick<TradeDeps, 'store' | 'ids'>;

/** A priced manifest. */
export interface QuotedManifest {
  readonly manifest: Manifest;
  readonly manifestHash: Sha256Hex;
  readonly quote: Quote;
  /** What is charged: the cap, or the least that the region's payment provider takes; what is unspent returns. */
  readonly deposit: Money;
}

/**
 * Prices a manifest of unknown shape; stores nothing. Refuses `manifest.*`, `quote.over_budget` and
 * `payment.region_unavailable`.
 */
export function quoteManifest(deps: QuoteDeps, given: unknown): QuotedManifest {
  const { runners, gpuRunners } = deps.terms;
  const manifest = parseManifest(given, { runners, gpuRunners });
  const quote = quoteJob(deps.terms.rateCard, manifest);
  const { minimum, maximum } = deps.providers.forRegion(manifest.region_preference).capabilities();
  const deposit = quote.cap.minor < minimum.minor ? { ...quote.cap, minor: minimum.minor } : quote.cap;
  if (deposit.minor > quote.budget.minor || deposit.minor > maximum.minor) {
    const bound = deposit.minor > maximum.minor ? maximum.minor : quote.budget.minor;
    throw refuse('quote.over_budget', `a payment of ${deposit.minor} minor units is needed, ${bound} are allowed`, {
      deposit: deposit.minor.toString(),
      allowed: bound.toString(),
    });
  }
  return { manifest, manifestHash: manifestHash(deps.sha256, manifest), quote, deposit };
}

/** An order: the manifest of unknown shape and the files that were unpacked and stored. */
export interface JobRequest {
  readonly customer: AccountId;
  readonly manifest: unknown;
  readonly bundle: Tree;
  /** The same key with the same order gives the same job; with another order it refuses `idempotency.key_reused`. */
  readonly idempotencyKey: string;
}

/** Stores the job as created, with its escrow and its listing on the ledger on the way. Refuses as `quoteManifest`. */
export async function createJob(
  deps: CreateDeps,
  request: JobRequest,
): Promise<{ readonly job: JobRow; readonly quoted: QuotedManifest }> {
  const quoted = quoteManifest(deps, request.manifest);
  const faults = missingFiles(quoted.manifest, request.bundle);
  if (faults.length > 0) {
    const text = faults.map((fault) => `${fault.path} ${fault.message}`).join('; ');
    throw refuse('manifest.file_missing', text, { faults });
  }
  const bundleDigest = treeDigest(deps.sha256, request.bundle);
  const requestHash = hashOf(deps.sha256, 'order', { manifest: quoted.manifestHash, bundle: bundleDigest });
  const order: NewJob = {
    id: newId('job', deps.ids),
    customer: request.customer,
    name: quoted.manifest.name ?? quoted.manifest.entry_point,
    region: quoted.manifest.region_preference,
    manifest: quoted.manifest,
    manifestHash: quoted.manifestHash,
    bundle: request.bundle,
    bundleDigest,
    perReplica: quoted.quote.perReplica,
    cap: quoted.quote.cap,
    deposit: quoted.deposit,
    redundancy: quoted.quote.redundancy,
    units: quoted.quote.units,
    idempotencyKey: request.idempotencyKey,
    requestHash,
    payWithinMs: deps.terms.payWithinMs,
  };
  const job = await deps.store.transaction(async (tx) => {
    await refuseBanned(tx, request.customer);
    if (await tx.jobs.add(order)) {
      await tx.money.openEscrow(order.id, order.deposit);
      await queueLedger(tx, order.id, 'Marketplace.listContract', [JSON.stringify(listing(deps, order))]);
    }
    return await tx.jobs.findByKey(request.customer, request.idempotencyKey);
  });
  if (job?.requestHash !== requestHash) {
    throw refuse('idempotency.key_reused', 'the key belongs to another order', { key: request.idempotencyKey });
  }
  return { job, quoted };
}

/** What the ledger says about a job: hashes, counts and where the objects are. */
function listing(deps: CreateDeps, order: NewJob): Record<string, string | number | null> {
  const requirements = order.bundle.find((file) => file.path === 'requirements.txt');
  return {
    manifestHash: order.manifestHash,
    bundleDigest: order.bundleDigest,
    termsHash: termsHash(deps.sha256, order),
    requirementsHash: requirements?.sha256 ?? null,
    region: order.region,
    runner: order.manifest.runner,
    verification: order.manifest.verification.type,
    redundancy: order.redundancy,
    units: order.units,
    storage: deps.terms.storage[order.region],
  };
}
