import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { fileURLToPath } from 'node:url';
import { ledgerKeyFromSeed, openFabricLedger, type FabricLedger } from '@assay/ledger';
import { factsOfLife, freshJob, lifeOf, platform } from '@assay/ledger/testing';
import { startEngine, type Engine } from '@assay/sandbox';
import { systemClock } from '@assay/server';
import { testDatabase } from '@assay/store/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { composeLacks } from './compose.setup.ts';

const root = fileURLToPath(new URL('../../../..', import.meta.url));

/** What is run, and who is killed meanwhile: those without whom a majority is left. */
const deployments = [
  { kept: 'raft-3-ca', image: 'fabric', doomed: ['peer-worker-eu', 'orderer1'], programs: 13 },
  { kept: 'bft', image: 'bft', doomed: ['orderer1'], programs: 8 },
];
/** A job that is put on the ledger, paid for, worked on and verified; what follows needs a vote on the window first. */
const steps = 4;
const facts = factsOfLife.slice(0, steps);

const runnable = composeLacks === undefined ? describe : describe.skip;

runnable.each(deployments)(`Fabric in containers, $kept${composeLacks ?? ''}`, ({ kept, image, doomed, programs }) => {
  const folder = join(root, 'deploy', 'fabric', 'compose', kept);
  const project = `assay-test-${randomBytes(4).toString('hex')}`;
  let engine: Engine;
  let client = '';
  const run = async (program: string, ...args: string[]): Promise<string> => {
    const env = {
      ...process.env,
      DOCKER_HOST: `unix://${engine.socketPath}`,
      COMPOSE_PROJECT_NAME: project,
      ...Object.fromEntries(['PLATFORM', 'WORKER', 'WORKER_RU', 'WORKER_EU'].map((peer) => [`PORT_PEER_${peer}`, '0'])),
    };
    const { stdout } = await promisify(execFile)(program, args, { cwd: folder, env, maxBuffer: 1e8 });
    return stdout.trim();
  };
  const compose = (...args: string[]): Promise<string> => run('docker-compose', ...args);
  const container = (service: string): Promise<string> => compose('ps', '-a', '-q', service);

  /** The market's share, with addresses as this machine reaches the peers. */
  async function copyClient(): Promise<void> {
    client = await mkdtemp(join(tmpdir(), 'assay-compose-'));
    await run('docker', 'cp', `${await container('material')}:/shares/1/.`, client);
    const file = join(client, 'connection.json');
    const profile = JSON.parse(await readFile(file, 'utf8')) as { peers: { address: string }[] };
    for (const peer of profile.peers) {
      const [host = '', port = ''] = peer.address.split(':');
      peer.address = `localhost:${(await compose('port', host, port)).split(':')[1] ?? ''}`;
    }
    await writeFile(file, JSON.stringify(profile));
  }

  const openLedger = (db: Awaited<ReturnType<typeof testDatabase>>['db']): Promise<FabricLedger> =>
    openFabricLedger({
      db,
      key: ledgerKeyFromSeed(new Uint8Array(32)),
      profile: join(client, 'connection.json'),
      channel: 'public-marketplace',
      clock: systemClock,
      onProblem: () => undefined,
    });

  beforeAll(async () => {
    engine = await startEngine();
    await run(join(root, 'deploy', 'fabric', 'images', 'build'), image);
    await compose('up', '-d');
    // Its log says why, where it did not end well.
    const status = await run('docker', 'wait', await container('provision'));
    if (status !== '0') throw new Error(await compose('logs', 'provision'));
    await copyClient();
  }, 240_000);

  afterAll(async () => {
    try {
      await compose('down', '-v', '--timeout', '5');
      // There is none where the network did not come up.
      if (client !== '') await rm(client, { recursive: true, force: true });
    } finally {
      await engine.stop();
    }
  }, 60_000);

  test('comes up from one file, takes transactions, and goes on without a peer and an orderer', async () => {
    const database = await testDatabase();
    const ledger = await openLedger(database.db);
    const live = async (): Promise<void> => {
      const life = lifeOf(freshJob()).slice(0, steps);
      let outcomes = await ledger.submit(life, platform);
      // Who was just killed may take a submission with it: a conflict is sent again, by the port's word.
      for (let again = 0; again < 5; again += 1) {
        const first = outcomes.findIndex(({ kind }) => kind === 'conflict');
        if (first === -1) break;
        outcomes = [...outcomes.slice(0, first), ...(await ledger.submit(life.slice(first), platform))];
      }
      expect(outcomes.map(({ kind }) => kind)).toEqual(Array(steps).fill('committed'));
    };
    await live();
    const victims = await Promise.all(doomed.map(container));
    await run('docker', 'kill', ...victims);
    await live();
    await run('docker', 'start', ...victims);
    await live();
    // What ended comes up again, and what is done is not done twice.
    await compose('up', '-d');
    expect(await run('docker', 'wait', await container('provision'))).toBe('0');
    await live();
    expect((await ledger.facts(1n, 100)).map(({ name }) => name)).toEqual([...facts, ...facts, ...facts, ...facts]);
    await ledger.close();
    await database.drop();
  }, 120_000);

  test('gives its programs no rights, and keys to nobody else', async () => {
    const ids = (await compose('ps', '-q')).split('\n');
    expect(ids.length).toBeGreaterThanOrEqual(programs);
    const inspected = JSON.parse(await run('docker', 'inspect', ...ids)) as readonly {
      readonly Name: string;
      readonly Config: Readonly<{ User: string }>;
      readonly HostConfig: Readonly<{
        ReadonlyRootfs: boolean;
        CapDrop: string[];
        Privileged: boolean;
        Memory: number;
      }>;
    }[];
    for (const { Name, Config, HostConfig } of inspected) {
      const { ReadonlyRootfs, CapDrop, Privileged } = HostConfig;
      expect([Name, Config.User, ReadonlyRootfs, CapDrop, Privileged]).toEqual([
        Name,
        '10001:10001',
        true,
        ['ALL'],
        false,
      ]);
      expect([Name, HostConfig.Memory]).not.toEqual([Name, 0]);
    }
    const files = (await readdir(client, { recursive: true })).filter((file) => file.endsWith('key.pem'));
    expect(files.length).toBeGreaterThan(3);
    for (const file of files) expect([file, (await stat(join(client, file))).mode & 0o077]).toEqual([file, 0]);
  });
});
