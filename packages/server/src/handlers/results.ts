/** Results: the agreed files, one by one or as a zip, and the receipt. */

import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import { Readable } from 'node:stream';
import {
  isSafePath,
  receiptText,
  refuse,
  treeDigest,
  type ObjectStore,
  type Region,
  type Tree,
  type TreeFile,
} from '@assay/core';
import { readResults, type Database, type JobView, type UnitOutputs } from '@assay/store';
import type { HandlersOf } from '../api/handlers.ts';
import { viewerOf, type Caller } from '../auth/caller.ts';
import { zipTree } from '../bundle/zip-tree.ts';
import { sendDownload } from '../http/download.ts';
import type { Market } from '../market-port.ts';
import { jobIdOf, ownedJob } from './jobs.ts';

export interface ResultDeps {
  readonly db: Database;
  readonly market: Market;
  readonly objects: ObjectStore;
}

interface JobResults {
  readonly job: JobView;
  readonly merged: boolean;
  readonly files: Tree;
}

/** The handlers. */
export function resultHandlers(
  deps: ResultDeps,
): HandlersOf<'getResults' | 'getResultFile' | 'getResultsZip' | 'getReceipt'> {
  const { db, objects, market } = deps;
  // Workers upload no empty files, so there is no object to ask for.
  const open = async ({ job }: JobResults, file: TreeFile): Promise<AsyncIterable<Uint8Array>> =>
    file.sizeBytes === 0 ? Readable.from([]) : objects.get(job.region as Region, file.sha256);
  return {
    async getResults({ params }, { caller }) {
      const { files, merged } = await resultsOf(db, caller, params.id);
      const digest = treeDigest((bytes) => createHash('sha256').update(bytes).digest(), files);
      return { digest, files: [...files], merged };
    },
    async getResultFile({ params }, { caller, reply }) {
      const results = await resultsOf(db, caller, params.id);
      const path = params['*'];
      const file = results.files.find((one) => one.path === path);
      if (!file) throw refuse('object.not_found', 'the results have no such file', { path });
      return sendDownload(reply, {
        name: basename(path),
        content: await open(results, file),
        sizeBytes: file.sizeBytes,
      });
    },
    async getResultsZip({ params }, { caller, reply }) {
      const results = await resultsOf(db, caller, params.id);
      if (!results.files.every((file) => isSafePath(file.path))) {
        throw refuse('request.too_large', 'a path is too long for a zip; fetch the files one by one', {});
      }
      return sendDownload(reply, {
        name: `${params.id}.zip`,
        content: zipTree(results.files, (file) => open(results, file)),
      });
    },
    async getReceipt({ params }, { caller, reply }) {
      const job = await ownedJob(db, caller, params.id);
      // The file that verifies is canonical to the byte, so no serializer may touch it.
      return reply.type('application/json; charset=utf-8').send(receiptText(await market.receipt(jobIdOf(job.id))));
    },
  };
}

async function resultsOf(db: Database, caller: Caller, id: string): Promise<JobResults> {
  const job = await ownedJob(db, caller, id);
  const units = await readResults(db, viewerOf(caller), job.id);
  if (units.length === 0) {
    throw refuse('result.not_ready', `a ${job.state} job has no results to show`, { state: job.state });
  }
  const merged = units.length === 1;
  return { job, merged, files: units.flatMap((unit) => filesOf(unit, merged)) };
}

/** Outputs of several units lie in a folder each, as a merge script would find them. */
function filesOf({ ordinal, outputs }: UnitOutputs, merged: boolean): TreeFile[] {
  if (merged) return [...outputs];
  return outputs.map((file) => ({ ...file, path: `${String(ordinal).padStart(4, '0')}/${file.path}` }));
}
