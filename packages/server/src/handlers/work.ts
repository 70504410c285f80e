/** What devices call. */

import { Readable } from 'node:stream';
import {
  emptySha256,
  parseId,
  parseSha256,
  assert,
  limits,
  refuse,
  type ObjectStore,
  type ReplicaId,
  type WorkStore,
} from '@assay/core';
import type { Exchange } from '@assay/market';
import { addChanges, heldInputs, heldReplica, inputHashes, writeLogs, type Database } from '@assay/store';
import type { HandlersOf } from '../api/handlers.ts';
import { signedHeaders } from '../auth/device.ts';
import { sendDownload } from '../http/download.ts';
import { waitForWork, type AvailableDeps } from './available.ts';
import { knownInputs } from './known-inputs.ts';

export interface WorkDeps extends AvailableDeps {
  readonly db: Database;
  readonly exchange: Exchange;
  readonly uploads: Pick<WorkStore, 'recordUpload'>;
  readonly objects: ObjectStore;
}

type WorkOperations = 'exchange' | 'available' | 'sendLogs' | 'putObject' | 'getObject';

/** The handlers. */
export function workHandlers(deps: WorkDeps): HandlersOf<WorkOperations> {
  const { db, objects } = deps;
  const inputs = knownInputs((job, kind) => inputHashes(db, job, kind), limits.inputHashes);
  return {
    async exchange(_input, { request, reply }) {
      const answer = await deps.exchange.handle(signedHeaders(request), request.rawBody ?? new Uint8Array(0));
      return reply.type('application/json').send(JSON.stringify(answer));
    },
    async available({ query }, { device, address, request }) {
      return { items: await waitForWork(deps, { device, address, waitMs: query.waitMs ?? 0, socket: request.raw }) };
    },
    async sendLogs({ body }, { device }) {
      const { stored, notHeld } = await db.transaction(async (tx) => {
        const written = await writeLogs(tx, device, body.lines);
        await addChanges(
          tx,
          written.jobs.map((job) => ({ ...job, kind: 'logs', data: {} })),
        );
        return written;
      });
      return { accepted: stored, refused: notHeld.map((replica) => ({ replica, code: 'replica.not_found' })) };
    },
    async putObject({ params, query }, { device, request }) {
      const replica: ReplicaId | undefined = parseId('replica', query.replica);
      const sha256 = parseSha256(params.sha256);
      assert(replica !== undefined && sha256 !== undefined, 'the schema has checked both');
      const held = await heldReplica(db, replica, device, sha256);
      if (!held) throw refuse('replica.not_found', 'this worker does not hold that replica', { replica });
      const maxBytes = limits.outputBytes - Number(held.uploadedBytes);
      if (maxBytes < 0 || held.uploadedFiles >= limits.outputFiles) {
        throw refuse('object.too_large', 'the replica has uploaded as much as it may', { replica });
      }
      const content = request.body as AsyncIterable<Uint8Array>;
      const { sizeBytes } = await objects.put(held.region, content, { maxBytes, expect: sha256 });
      await deps.uploads.recordUpload({ worker: device, replica, sha256, sizeBytes });
      return { sha256, sizeBytes };
    },
    async getObject({ params, query }, { device, reply }) {
      const sha256 = parseSha256(params.sha256);
      assert(sha256 !== undefined, 'the schema has checked it');
      const held = await heldInputs(db, query.replica, device);
      if (!held || !(await inputs.has(held.job, held.kind, sha256))) {
        throw refuse('replica.not_found', 'no replica that this worker holds reads this object', {});
      }
      const { region } = held;
      // Workers upload no empty files, so there is no object to look for.
      if (sha256 === emptySha256)
        return sendDownload(reply, { name: sha256, content: Readable.from([]), sizeBytes: 0 });
      const stored = await objects.head(region, sha256);
      const content = await objects.get(region, sha256);
      return sendDownload(reply, { name: sha256, content, ...(stored ? { sizeBytes: stored.sizeBytes } : {}) });
    },
  };
}
