/** Creating a job: the zip is spooled, checked, priced and only then stored. */

import { limits, manifestJson, missingFiles, refuse, type ObjectStore, type Region } from '@assay/core';
import type { QuotedManifest } from '@assay/market';
import type { Database } from '@assay/store';
import type { HandlersOf } from '../api/handlers.ts';
import { unpackBundle, type Bundle } from '../bundle/unpack-bundle.ts';
import { spoolBundle } from '../http/spool.ts';
import { takeTurns } from '../http/turns.ts';
import { uploadPlaces } from '../http/upload-places.ts';
import type { Market } from '../market-port.ts';
import { presentJob } from '../present/job.ts';
import { presentQuote } from '../present/trade.ts';
import { visibleJob } from './jobs.ts';

export interface CreateDeps {
  readonly db: Database;
  readonly market: Market;
  readonly objects: ObjectStore;
  /** Where uploads wait. */
  readonly spoolFolder: string;
}

/** The handler. */
export function createHandlers(deps: CreateDeps): HandlersOf<'createJob'> {
  const places = uploadPlaces();
  const turns = takeTurns(limits.bundleUploads, limits.bundleSpools);
  return {
    createJob: (_input, { caller, key = '', request }) =>
      places(caller.account, async () => {
        const spooled = await spoolBundle(request, deps.spoolFolder);
        try {
          // A slow upload waits outside: only unpacking takes a turn.
          const { bundle, manifest } = await turns(() => takeIn(deps, spooled.path));
          const order = { customer: caller.account, manifest, bundle: bundle.tree, idempotencyKey: key };
          const { job, quoted } = await deps.market.createJob(order);
          const view = await visibleJob(deps.db, caller, job.id);
          return { ...presentJob(view), quote: presentQuote(quoted), payment: null };
        } finally {
          await spooled.remove();
        }
      }),
  };
}

/** Unpacks into the region that the manifest names, after the price and the named files are found in order. */
async function takeIn({ market, objects }: CreateDeps, path: string): Promise<{ bundle: Bundle; manifest: unknown }> {
  let manifest: unknown;
  const accept = (unpacked: Bundle): Region => {
    manifest = manifestJson(unpacked.manifestText);
    const quoted: QuotedManifest = market.quote(manifest);
    const faults = missingFiles(quoted.manifest, unpacked.tree);
    if (faults.length > 0) {
      const text = faults.map((fault) => `${fault.path} ${fault.message}`).join('; ');
      throw refuse('manifest.file_missing', text, { faults });
    }
    return quoted.manifest.region_preference;
  };
  return { bundle: await unpackBundle(path, 'eu', objects, { accept }), manifest };
}
