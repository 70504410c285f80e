/** The market that the benchmark works on: funded jobs with open units, and registered workers of different owners. */

import { generateKeyPairSync } from 'node:crypto';
import { newId, parseManifest, type AccountId, type IdSource, type JobId } from '@assay/core';
import { openUnits, type Database } from '@assay/store';
import type { DispatchOptions } from './dispatch-options.ts';
import type { SimulatedDevice } from './simulated-worker.ts';

const runner = 'platform-runner:python-3.14';

/** Registers one worker each of as many owners. */
export async function seedWorkers(db: Database, ids: IdSource, count: number): Promise<SimulatedDevice[]> {
  const devices: SimulatedDevice[] = [];
  const machine = {
    ...{ arch: 'x64', os: 'linux', cpuCores: 4, memoryGb: 8, slots: 64 },
    runners: [{ runner, driver: 'wasm', digest: 'bench' }],
  };
  for (let index = 0; index < count; index += 1) {
    const { publicKey, privateKey } = generateKeyPairSync('ed25519');
    const device = {
      id: newId('worker', ids),
      privateKey: privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(),
    };
    const owner = await seedAccount(db, ids);
    const raw = publicKey.export({ format: 'der', type: 'spki' }).subarray(-32).toString('hex');
    await db.query(
      `INSERT INTO worker (id, owner_id, public_key, name, machine, region) VALUES ($1, $2, $3, 'bench', $4, 'eu')`,
      [device.id, owner, raw, JSON.stringify(machine)],
    );
    devices.push(device);
  }
  return devices;
}

/** Makes funded jobs that share the units among them. */
export async function seedJobs(db: Database, ids: IdSource, options: DispatchOptions): Promise<JobId[]> {
  const customer = await seedAccount(db, ids);
  const jobs: JobId[] = [];
  for (let index = 0; index < options.jobs; index += 1) {
    const chunks = Math.floor((options.units + index) / options.jobs);
    if (chunks > 0) jobs.push(await seedJob(db, ids, customer, chunks, options.redundancy));
  }
  return jobs;
}

async function seedJob(
  db: Database,
  ids: IdSource,
  customer: AccountId,
  chunks: number,
  redundancy: number,
): Promise<JobId> {
  const manifest = parseManifest(
    {
      ...{ runner, entry_point: 'main.py', budget_usd: 1_000_000 },
      parallelism: { chunks },
      verification: { type: 'exact', redundancy },
    },
    { runners: [runner] },
  );
  const job = newId('job', ids);
  await db.transaction(async (tx) => {
    await tx.query(
      `INSERT INTO job (id, customer_id, name, state, region, manifest, manifest_hash, bundle, bundle_digest,
         bundle_files, bundle_bytes, currency, price_per_replica, cap, redundancy, units_total, funded_at)
       VALUES ($1, $2, 'bench', 'funded', 'eu', $3, $4, '[]', $4, 0, 0, 'USD', 3, $5, $6, $7, assay_now())`,
      [job, customer, JSON.stringify(manifest), '0'.repeat(64), 3 * redundancy * chunks, redundancy, chunks],
    );
    await openUnits(tx, { job, redundancy, ids: Array.from({ length: chunks }, () => newId('unit', ids)) });
  });
  return job;
}

async function seedAccount(db: Database, ids: IdSource): Promise<AccountId> {
  const id = newId('account', ids);
  await db.query(`INSERT INTO account (id, email, region, roles) VALUES ($1, $2, 'eu', '{customer,provider}')`, [
    ...[id, `${id}@bench.invalid`],
  ]);
  return id;
}
