import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Fault, uuidV7Source, type ReplicaId, type SandboxDriver } from '@assay/core';
import { memorySandbox, type MemoryUnit } from '@assay/core/conformance';
import { deviceKey } from './device-key.ts';
import { fakeServer, type FakeServer } from './fake-server.setup.ts';
import { endPause, writePause } from './owner/pause-file.ts';
import { readSettings } from './owner/settings.ts';
import { readStatus } from './owner/status-file.ts';
import { startWorker, type Worker } from './start-worker.ts';

const clock = { nowMs: () => Date.now() };
let server: FakeServer;
let workDir: string;
let notes: string[];
let worker: Worker | undefined;

beforeEach(async () => {
  server = fakeServer();
  workDir = await mkdtemp(join(tmpdir(), 'assay-owner-'));
  notes = [];
});
afterEach(async () => {
  await worker?.stop();
  worker = undefined;
  await rm(workDir, { recursive: true, force: true });
});

const quick = async () => ({ files: { 'metrics.json': '{"pi":3}' } });

async function start(settings: object, driver: SandboxDriver = memorySandbox(quick)): Promise<Worker> {
  worker = await startWorker({
    name: 'one',
    url: 'http://market.example',
    transport: server.transport(),
    deviceKey: deviceKey(generateKeyPairSync('ed25519').privateKey),
    driver,
    workDir,
    settings: readSettings({ capacity: 2, ...settings }),
    clock,
    ids: uuidV7Source(clock.nowMs, (count) => crypto.getRandomValues(new Uint8Array(count))),
    log: (text) => notes.push(text),
    score: 1,
  });
  return worker;
}

const untilStopped = ({ stop }: MemoryUnit) =>
  new Promise<object>((resolve) => stop.addEventListener('abort', () => resolve({})));
const stateOf = (replica: ReplicaId) => server.rows.get(replica)?.state;
const until = (condition: () => unknown) => expect.poll(condition, { interval: 20 });

describe('a worker whose owner', () => {
  it('paused it before its start claims nothing, says so once, and works when it is resumed', async () => {
    await writePause(workDir, { untilMs: null, giveBack: false });
    const replica = server.offer(0);
    await start({});
    await until(() => server.requests.length).toBeGreaterThan(0);
    expect(stateOf(replica)).toBe('open');
    expect(notes).toEqual(['takes no work: the owner has paused it']);
    expect(await readStatus(workDir)).toMatchObject({ may: false, reason: 'paused', running: 0, capacity: 2 });
    await endPause(workDir);
    await until(() => stateOf(replica)).toBe('revealed');
    expect(notes).toEqual(['takes no work: the owner has paused it', 'takes work again']);
    expect(await readStatus(workDir)).toMatchObject({ may: true, reason: null });
  });

  it('pauses it lets the unit that runs come to its end', async () => {
    const gate = Promise.withResolvers<undefined>();
    const replicas = [server.offer(0), server.offer(1), server.offer(2)];
    await start(
      { capacity: 1 },
      memorySandbox(async () => (await gate.promise, quick())),
    );
    await until(() => replicas.filter((one) => stateOf(one) === 'leased').length).toBe(1);
    await writePause(workDir, { untilMs: Date.now() + 3_600_000, giveBack: false });
    await until(() => notes.length).toBe(1);
    gate.resolve(undefined);
    await until(() => replicas.filter((one) => stateOf(one) === 'revealed').length).toBe(1);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(replicas.filter((one) => stateOf(one) === 'open')).toHaveLength(2);
  });

  it('pauses it now gives back what runs', async () => {
    const replica = server.offer(0);
    await start({}, memorySandbox(untilStopped));
    await until(() => stateOf(replica)).toBe('leased');
    await writePause(workDir, { untilMs: null, giveBack: true });
    await until(() => stateOf(replica)).toBe('lost');
    expect(server.rows.get(replica)?.reason).toBe('worker_stopping');
  });

  it('leaves a share of the machine and some runners offers no more than that', async () => {
    const { machine } = await start({ cpu_share: 0.05, memory_share: 0.1, max_hours: 3 });
    expect(machine).toMatchObject({ cpuCores: 1, maxHours: 3, slots: 2 });
    await expect(start({ runners: ['platform-runner:r'] })).rejects.toThrow(
      'no sandbox of this machine has platform-runner:r',
    );
  });

  it('has other runners by now than the claim named gives the replica back', async () => {
    const replica = server.offer(0, { machineClass: '1'.repeat(64) });
    await start({});
    await until(() => stateOf(replica)).toBe('lost');
    expect(server.rows.get(replica)?.reason).toBe('worker_other_class');
  });

  it('lets nothing out runs no unit that asks for a network, and offers no runner for one', async () => {
    const sound = memorySandbox(quick);
    const driver: SandboxDriver = {
      ...sound,
      async probe() {
        const report = await sound.probe();
        return { ...report, runners: report.runners.map((one) => ({ ...one, egress: true as const })) };
      },
    };
    server.spec = { ...server.spec, network: [{ host: 'data.example.org', port: 443 }] };
    const replica = server.offer(0);
    const closed = await start({}, driver);
    expect(closed.machine.runners[0]?.egress).toBeUndefined();
    await until(() => stateOf(replica)).toBe('lost');
    expect(server.rows.get(replica)?.reason).toBe('worker_no_egress');
    await closed.stop();
    const open = await start({ egress: true }, driver);
    expect(open.machine.runners[0]?.egress).toBe(true);
  });

  it('leaves it half a core holds each unit to its share of that', async () => {
    let cores: number | undefined;
    const replica = server.offer(0);
    await start(
      { capacity: 64, cpu_share: 0.05 },
      memorySandbox(async ({ unit }) => ((cores = unit.limits.cpuCores), quick())),
    );
    await until(() => stateOf(replica)).toBe('revealed');
    expect(cores).toBeGreaterThan(0);
    expect(cores).toBeLessThan(0.5);
  });
});

it('takes nothing more while its sandbox fails, and works again once a probe succeeds', async () => {
  const sound = memorySandbox(quick);
  let broken = false;
  const driver: SandboxDriver = {
    ...sound,
    probe: async () => ({ ...(await sound.probe()), ...(broken && { usable: false, detail: 'down' }) }),
    run: (...args) =>
      broken ? Promise.reject(new Fault('sandbox.fault', 'the engine hangs up', { retry: true })) : sound.run(...args),
  };
  const replicas = Array.from({ length: 40 }, (_, n) => server.offer(n));
  await writePause(workDir, { untilMs: null, giveBack: false });
  await start({}, driver);
  broken = true;
  await endPause(workDir);
  await until(() => notes.length).toBe(3);
  expect(notes.slice(1)).toEqual(['takes work again', 'takes no work: its sandbox fails: down']);
  const lost = () => replicas.filter((one) => stateOf(one) === 'lost').length;
  await new Promise((resolve) => setTimeout(resolve, 200));
  const lostThen = lost();
  expect(lostThen).toBeLessThan(replicas.length);
  await new Promise((resolve) => setTimeout(resolve, 500));
  expect(lost()).toBe(lostThen);
  broken = false;
  await until(() => replicas.filter((one) => stateOf(one) === 'revealed').length).toBe(replicas.length - lostThen);
}, 60_000);
