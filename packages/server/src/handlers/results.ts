/** Results: the agreed files, one by one or as a zip, and the receipt. */

import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import { Readable } from 'node:stream';
import {
  isSafePath,
  limits,
  receiptText,
  refuse,
  treeDigest,
  type ObjectStore,
  type Region,
  type TreeFile,
} from '@assay/core';
import { countResultUnits, readResults, type Database, type JobView } from '@assay/store';
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

/** Results that are there. */
interface JobResults {
  readonly job: JobView;
  /** Whether they come from one unit alone; else each unit's lie in a folder, as a merge script would find them. */
  readonly merged: boolean;
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
    async getResults({ params, query }, { caller }) {
      const results = await resultsOf(db, caller, params.id);
      const files = await filesOf(db, caller, results, query.unit);
      const digest = treeDigest((bytes) => createHash('sha256').update(bytes).digest(), files);
      return { digest, files: [...files], merged: results.merged };
    },
    async getResultFile({ params }, { caller, reply }) {
      const results = await resultsOf(db, caller, params.id);
      const path = params['*'];
      const ordinal = results.merged ? undefined : /^\d{4}(?=\/)/.exec(path)?.[0];
      const isNamed = results.merged || ordinal !== undefined;
      const files = isNamed
        ? await filesOf(db, caller, results, ordinal === undefined ? undefined : Number(ordinal))
        : [];
      const file = files.find((one) => one.path === path);
      if (!file) throw refuse('object.not_found', 'the results have no such file', { path });
      return sendDownload(reply, {
        name: basename(path),
        content: await open(results, file),
        sizeBytes: file.sizeBytes,
      });
    },
    async getResultsZip({ params }, { caller, reply }) {
      const results = await resultsOf(db, caller, params.id);
      const files = await filesOf(db, caller, results);
      if (!files.every((file) => isSafePath(file.path))) {
        throw refuse('request.too_large', 'a path is too long for a zip; fetch the files one by one', {});
      }
      return sendDownload(reply, {
        name: `${params.id}.zip`,
        content: zipTree(files, (file) => open(results, file)),
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
  const units = await countResultUnits(db, viewerOf(caller), job.id);
  if (units === 0) {
    throw refuse('result.not_ready', `a ${job.state} job has no results to show`, { state: job.state });
  }
  return { job, merged: units === 1 };
}

/** The files of the results, or of one unit of several; refuses `request.too_large` before it reads too many. */
async function filesOf(
  db: Database,
  caller: Caller,
  { job, merged }: JobResults,
  unit?: number,
): Promise<readonly TreeFile[]> {
  const ordinal = merged ? undefined : unit;
  const mostFiles = limits.resultFiles;
  const { files, units } = await readResults(db, viewerOf(caller), job.id, { ordinal, mostFiles });
  if (!units) {
    const text = `the results have ${files} files, more than ${mostFiles}: list each unit’s and fetch them one by one`;
    throw refuse('request.too_large', text, { files, mostFiles });
  }
  if (merged) return units.flatMap(({ outputs }) => outputs);
  return units.flatMap((one) =>
    one.outputs.map((file) => ({ ...file, path: `${String(one.ordinal).padStart(4, '0')}/${file.path}` })),
  );
}
