/** Who takes part in the benchmark: a customer, and workers that each belong to another owner. */

import { generateKeyPairSync } from 'node:crypto';
import { newId, type AccountId, type IdSource } from '@assay/core';
import type { Database } from '@assay/store';
import type { SimulatedDevice } from './simulated-worker.ts';

/** The runner that all benchmark jobs name. */
export const benchRunner = 'platform-runner:python-3.14';

/** Registers one worker each of as many owners. */
export async function seedWorkers(db: Database, ids: IdSource, count: number): Promise<SimulatedDevice[]> {
  const devices: SimulatedDevice[] = [];
  const machine = {
    arch: 'x64',
    os: 'linux',
    cpuCores: 4,
    memoryGb: 8,
    slots: 64,
    runners: [
      {
        runner: benchRunner,
        driver: 'wasm',
        digest: 'bench',
      },
    ],
  };
  for (let index = 0; index < count; index += 1) {
    const { publicKey, privateKey } = generateKeyPairSync('ed25519');
    const owner = await seedAccount(db, ids);
    const raw = publicKey.export({ format: 'der', type: 'spki' }).subarray(-32).toString('hex');
    const id = newId('worker', ids);
    await db.query(
      `INSERT INTO worker (id, owner_id, public_key, name, machine, region) VALUES ($1, $2, $3, 'bench', $4, 'eu')`,
      [id, owner, raw, JSON.stringify(machine)],
    );
    devices.push({ id, privateKey: privateKey.export({ format: 'pem', type: 'pkcs8' }).toString() });
  }
  return devices;
}

/** An account that may do anything but operate the market. */
export async function seedAccount(db: Database, ids: IdSource): Promise<AccountId> {
  const id = newId('account', ids);
  const email = `${id}@bench.invalid`;
  await db.query(`INSERT INTO account (id, email, region, roles) VALUES ($1, $2, 'eu', '{customer,provider}')`, [
    id,
    email,
  ]);
  return id;
}
