import { createHash, X509Certificate } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Client, credentials } from '@grpc/grpc-js';
import { Fault, Refusal } from '@assay/core';
import { testDatabase } from '@assay/store/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  describeOnFabric,
  killProgram,
  mendNetwork,
  openTestLedger,
  testNetwork,
  type TestNetwork,
} from '../fabric.setup.ts';
import { freshJob, lifeOf, listed, platform } from '../listing.setup.ts';
import { replaceSecret } from './folders.ts';
import { networkStatus } from './network-status.ts';
import { stopNetwork } from './network.ts';
import { readProfile } from './profile.ts';
import { findTools, toolVersions } from './tools.ts';

const programs = ['contracts.PlatformMSP', 'contracts.WorkerMSP', 'orderer1', 'peer.PlatformMSP', 'peer.WorkerMSP'];

async function handshake(client: Client): Promise<string> {
  const error = await new Promise<Error | undefined>((resolve) => client.waitForReady(Date.now() + 1500, resolve));
  client.close();
  return error ? 'refused' : 'ready';
}

describeOnFabric('a local network', () => {
  let network: TestNetwork;
  beforeAll(async () => {
    network = await testNetwork();
  });
  afterAll(() => network.close());

  test('is up, keeps its keys to itself and knows when its certificates end', async () => {
    const status = await networkStatus(network.folder);
    expect([status.state, status.programs.map(({ name }) => name).toSorted()]).toEqual(['up', programs]);
    expect(status.firstExpiry?.endsMs).toBeGreaterThan(Date.now() + 4 * 365 * 86_400_000);
    const files = await readdir(network.folder, { recursive: true });
    const secret = files.filter((name) => /key\.pem$|core\.yaml$|server\.json$|package\.tar\.gz$/.test(name));
    expect(secret.length).toBeGreaterThan(10);
    for (const name of secret) expect([name, (await stat(join(network.folder, name))).mode & 0o077]).toEqual([name, 0]);
  });

  test('starts once, however often it is told to', async () => {
    const again = await Promise.all([mendNetwork(network.folder), mendNetwork(network.folder)]);
    expect(again.map(({ how }) => how)).toEqual(['running', 'running']);
  });

  test('talks to nobody without a certificate of its organisations', async () => {
    const profile = await readProfile(network.profile);
    const [peer] = profile.peers;
    const authority = await readFile(peer!.tlsAuthority);
    const [key, certificate] = [await readFile(profile.clientTls.key), await readFile(profile.clientTls.certificate)];
    expect(new X509Certificate(certificate).ca).toBe(false);
    expect(await handshake(new Client(peer!.address, credentials.createSsl(authority, key, certificate)))).toBe(
      'ready',
    );
    expect(await handshake(new Client(peer!.address, credentials.createSsl(authority)))).toBe('refused');
  });

  test('keeps its channels apart: who is no member of private-science cannot read it', async () => {
    const database = await testDatabase();
    const ledger = await openTestLedger(network, database.db, 'private-science');
    const job = freshJob();
    expect(await ledger.submit([listed(job)], platform)).toMatchObject([{ kind: 'committed' }]);
    expect(await ledger.evaluate('Contract', 'getContract', [job], platform)).toContain(job);
    const stranger = { mspId: 'WorkerMSP', name: 'reader', roles: ['auditor'] };
    const read = ledger.evaluate('Contract', 'getContract', [job], stranger);
    await expect(read).rejects.toThrow(/access denied|not.*authorized|creator/i);
    await expect(read).rejects.toBeInstanceOf(Fault);
    await ledger.close();
    await database.drop();
  });

  test('keeps sealed details among the members of private-science, and their hash on the chain', async () => {
    const database = await testDatabase();
    const ledger = await openTestLedger(network, database.db, 'private-science');
    const job = freshJob();
    const sealed = 'a protein that nobody else may know';
    const seal = {
      contract: 'Contract',
      fn: 'sealDetails',
      args: [job],
      idempotencyKey: `${job}/seal`,
      sealed,
    } as const;
    expect(await ledger.submit([listed(job), seal], platform)).toMatchObject([
      { kind: 'committed' },
      { kind: 'committed' },
    ]);
    expect(await ledger.evaluate('Contract', 'getSealed', [job], platform)).toBe(sealed);
    const digest = createHash('sha256').update(sealed).digest('hex');
    expect(await ledger.evaluate('Contract', 'getSealedHash', [job], platform)).toBe(digest);
    expect((await ledger.facts(1n, 100)).map(({ name }) => name)).toContain('DetailsSealed');
    const [row] = await database.db.query<{ found: bigint }>(
      'SELECT count(*) AS found FROM ledger_tx WHERE strpos(transaction, $1) > 0',
      ['protein'],
    );
    expect(row?.found).toBe(0n);
    await ledger.close();
    // The public channel has no such collection.
    const other = await testDatabase();
    const open = await openTestLedger(network, other.db);
    expect(await open.submit([listed(job), seal], platform)).toMatchObject([
      { kind: 'committed' },
      { kind: 'refused', code: 'ledger.refused' },
    ]);
    await open.close();
    await database.drop();
    await other.drop();
  });

  test('one organisation’s keys are not another’s', async () => {
    const database = await testDatabase();
    const ledger = await openTestLedger(network, database.db);
    const job = freshJob();
    const worker = `wrk_${job.slice(4)}`;
    const [list, fund] = lifeOf(job);
    const device = { mspId: 'WorkerMSP', name: worker, roles: ['worker'] };
    await ledger.submit([list!, fund!], platform);
    const claim = { contract: 'Marketplace', fn: 'claimContract', args: [worker, job] } as const;
    const work = lifeOf(job)[2]!;
    const squatted = { ...claim, idempotencyKey: work.idempotencyKey };
    expect(await ledger.submit([squatted], device)).toMatchObject([{ kind: 'committed' }]);
    expect(await ledger.submit([work], platform)).toMatchObject([{ kind: 'committed' }]);
    expect(await ledger.submit([squatted], device)).toMatchObject([{ kind: 'committed' }]);
    await ledger.close();
    await database.drop();
  });

  test('goes on with its data after everything was killed, and says so', async () => {
    const database = await testDatabase();
    const job = freshJob();
    const before = await openTestLedger(network, database.db);
    const [outcome] = await before.submit([listed(job)], platform);
    await before.close();
    for (const name of programs) await killProgram(network.folder, name);
    expect((await networkStatus(network.folder)).state).toBe('stopped');
    expect((await mendNetwork(network.folder)).how).toBe('started');
    const after = await openTestLedger(network, database.db);
    expect(await after.submit([listed(job)], platform)).toEqual([outcome]);
    expect(await after.evaluate('Contract', 'getContract', [job], platform)).toContain(job);
    await after.close();
    await database.drop();
  }, 60_000);

  test('refuses a database that mirrors another network, and one of another engine', async () => {
    const database = await testDatabase();
    await openTestLedger(network, database.db, 'private-science').then((ledger) => ledger.close());
    const other = await openTestLedger(network, database.db);
    await expect(other.submit([listed(freshJob())], platform)).rejects.toMatchObject({ code: 'ledger.tampered' });
    await other.close();
    await database.drop();
  });

  test('begins anew where a start was interrupted, and ends what that left running', async () => {
    const record = JSON.parse(await readFile(join(network.folder, 'network.json'), 'utf8')) as object;
    await replaceSecret(join(network.folder, 'network.json'), JSON.stringify({ ...record, ready: false }));
    expect((await networkStatus(network.folder)).state).toBe('broken');
    expect((await mendNetwork(network.folder)).how).toBe('created');
    expect((await networkStatus(network.folder)).state).toBe('up');
  }, 60_000);

  test('ends cleanly', async () => {
    expect(await stopNetwork(network.folder, { erase: true })).toEqual(programs);
    expect(await stopNetwork(network.folder, { erase: true })).toEqual([]);
    expect(await readdir(network.folder)).toEqual([]);
    expect((await networkStatus(network.folder)).state).toBe('absent');
  });
});

test('a missing program is named with what to do', () => {
  expect(() => findTools('/nowhere', 'raft')).toThrow(Refusal);
  expect(() => findTools('/nowhere', 'raft')).toThrow(
    /peer, orderer, osnadmin, configtxgen, configtxlator are not in \/nowhere\/fabric-2\.5\.9\/bin: run deploy\/tools\/build fabric/,
  );
});

test('the versions are those that deploy/tools builds', async () => {
  for (const [set, version] of Object.entries(toolVersions)) {
    const file = new URL(`../../../../../deploy/tools/${set}/build.conf`, import.meta.url);
    expect(await readFile(file, 'utf8')).toContain(`version=${version}\n`);
  }
});
