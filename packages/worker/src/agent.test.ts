import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { limits, refuse, uuidV7Source, type Ending, type ReplicaId } from '@assay/core';
import { memorySandbox, type MemoryEnd, type MemoryUnit } from '@assay/core/conformance';
import { deviceKey } from './device-key.ts';
import { usualSettings } from './owner/settings.ts';
import {
  fakeServer,
  hashOfText,
  jobSpec,
  outage,
  replicaId,
  treeOf,
  workerId,
  type FakeServer,
} from './fake-server.setup.ts';
import type { WorkTransport } from './transport.ts';
import { startWorker, type Worker, type WorkerOptions } from './start-worker.ts';

const key = deviceKey(generateKeyPairSync('ed25519').privateKey);
const clock = { nowMs: () => 1_800_000_000_000 };

let server: FakeServer;
let workDir: string;
let workers: Worker[];
let notes: string[];
let ran: string[];

const honest = async ({ unit, log, read }: MemoryUnit): Promise<MemoryEnd> => {
  const ordinal = unit.environment['ASSAY_UNIT_ORDINAL'];
  ran.push(ordinal ?? '');
  log('stdout', `unit ${ordinal}\nhalf`);
  return { files: { 'metrics.json': `{"pi":${ordinal}}`, 'out.txt': await read('data/in.txt') } };
};

async function start(changes: Partial<WorkerOptions> & { program?: typeof honest } = {}): Promise<Worker> {
  const { program = honest, ...rest } = changes;
  const worker = await startWorker({
    name: 'one',
    transport: server.transport(),
    deviceKey: key,
    driver: memorySandbox(program),
    workDir,
    settings: { ...usualSettings, capacity: 2 },
    url: 'http://market.example',
    clock,
    ids: uuidV7Source(clock.nowMs, (count) => crypto.getRandomValues(new Uint8Array(count))),
    log: (text) => notes.push(text),
    score: 1,
    ...rest,
  });
  workers.push(worker);
  return worker;
}

const untilStopped = ({ stop }: MemoryUnit) =>
  new Promise<MemoryEnd>((resolve) => {
    if (stop.aborted) resolve({});
    stop.addEventListener('abort', () => resolve({}));
  });

const stateOf = (replica: ReplicaId) => server.rows.get(replica)?.state;
const until = (condition: () => boolean) => expect.poll(condition, { interval: 5 }).toBe(true);
const shelf = () => readdir(join(workDir, 'replicas'));

beforeEach(async () => {
  server = fakeServer();
  workDir = await mkdtemp(join(tmpdir(), 'assay-worker-'));
  workers = [];
  notes = [];
  ran = [];
});
afterEach(async () => {
  for (const worker of workers) void worker.stop();
  await rm(workDir, { recursive: true, force: true });
});

describe('an honest worker', () => {
  it('runs, commits, uploads and reveals every unit, no more at once than it may', async () => {
    let running = 0;
    let most = 0;
    const replicas = Array.from({ length: 7 }, (_, n) => server.offer(n));
    await start({
      program: async (unit) => {
        most = Math.max(most, (running += 1));
        await new Promise((resolve) => setTimeout(resolve, 10));
        running -= 1;
        return honest(unit);
      },
    });
    await until(() => replicas.every((replica) => stateOf(replica) === 'revealed'));
    expect(most).toBe(2);
    const reveal = server.rows.get(replicaId(3))?.reveal;
    expect(reveal).toMatchObject({
      exitCode: 0,
      metrics: '{"pi":3}',
      outputs: treeOf({ 'metrics.json': '{"pi":3}', 'out.txt': 'input' }),
    });
    expect(server.uploads.has(`${replicaId(3)}/${hashOfText('input')}`)).toBe(true);
    await expect.poll(shelf).toEqual([]);
    expect(notes).toEqual([]);
  });

  it('gives the unit its place in the job, a pinned seed and clock, and what its job asks for', async () => {
    let seen: MemoryUnit['unit'] | undefined;
    const replica = server.offer(2);
    const network = [{ host: 'data.example.org', port: 443 }];
    server.spec = { ...jobSpec, resources: { cpuCores: 1.5, memoryGb: 0.25, gpu: true }, network };
    const settings = { ...usualSettings, egress: true };
    await start({ program: (unit) => ((seen = unit.unit), honest(unit)), settings });
    await until(() => stateOf(replica) === 'revealed');
    expect(seen).toMatchObject({
      network,
      gpu: true,
      args: ['--x'],
      environment: { ASSAY_UNIT_ORDINAL: '2', ASSAY_UNITS: '4', ASSAY_SEED: '9', PYTHONHASHSEED: '0' },
      randomSeed: 9,
      epochMs: Date.UTC(2026, 0, 1),
      limits: { wallMs: 60_000, memoryBytes: 256 * 1024 * 1024, cpuCores: 1.5 },
    });
  });

  it('runs a merge with the agreed outputs and without a metric', async () => {
    server.spec = { ...jobSpec, mergeScript: 'merge.py', bundle: treeOf({ 'main.py': 'print(1)', 'merge.py': 'm' }) };
    server.objects.set(hashOfText('m'), Buffer.from('m'));
    server.objects.set(hashOfText('part'), Buffer.from('part'));
    const replica = server.offer(0, { kind: 'merge', inputs: treeOf({ 'inputs/0000/out.txt': 'part' }) });
    await start({
      program: async ({ unit, read }) => ({
        files: { 'metrics.json': '{}', 'all.txt': `${unit.entryPoint} ${await read('inputs/0000/out.txt')}` },
      }),
    });
    await until(() => stateOf(replica) === 'revealed');
    const reveal = server.rows.get(replica)?.reveal;
    expect(reveal?.metrics).toBeUndefined();
    expect(reveal?.outputs).toEqual(treeOf({ 'all.txt': 'merge.py part', 'metrics.json': '{}' }));
  });

  it('lets a unit write its share of what the merge of its job may be given, and a merge as much as ever', async () => {
    const seen: MemoryUnit['unit']['limits'][] = [];
    const program = ({ unit }: MemoryUnit) => (seen.push(unit.limits), Promise.resolve({}));
    server.spec = { ...jobSpec, mergeScript: 'main.py', chunks: 100 };
    server.offer(0);
    server.offer(1, { kind: 'merge', inputs: treeOf({ 'inputs/0000/out.txt': '' }) });
    await start({ program, settings: { ...usualSettings, capacity: 1 } });
    await until(() => seen.length === 2);
    const { outputFiles, outputBytes } = limits;
    expect(seen).toMatchObject([
      { outputFiles: 200, outputBytes: Math.floor((1024 ** 3 / 4 - 'print(1)input'.length) / 100) },
      { outputFiles, outputBytes },
    ]);
  });

  it.each([
    ['a/b/c/d/e/f/g', 'merge.py', 'work', 153],
    ['a/b/c/d/e/f', 'merge.py', 'work', 0],
    ['a/b/c/d/e/f/g', null, 'work', 0],
    ['a/b/c/d/e/f/g', 'merge.py', 'merge', 0],
  ] as const)('takes a path for too much output where a merge could not be given it: %s', async (...given) => {
    const [path, mergeScript, kind, exitCode] = given;
    server.spec = { ...jobSpec, mergeScript, bundle: treeOf({ 'main.py': 'print(1)', 'merge.py': '' }) };
    const replica = server.offer(0, { kind });
    await start({ program: async () => ({ files: { [path]: 'x' } }) });
    await until(() => stateOf(replica) === 'revealed');
    const outputs = exitCode === 0 ? treeOf({ [path]: 'x' }) : [];
    expect(server.rows.get(replica)?.reveal).toMatchObject({ exitCode, outputs });
    expect(server.lines.map(({ text }) => text)).toEqual(
      exitCode === 0 ? [] : [`too long or too deep a path for a merge: "${path}"`],
    );
  });

  it('waits with its reveal until the unit opens', async () => {
    server.open = false;
    const replica = server.offer(0);
    await start();
    await until(() => stateOf(replica) === 'committed');
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(server.uploads.size).toBe(0);
    server.open = true;
    await until(() => stateOf(replica) === 'revealed');
  });

  it('sends the log line by line, and all of it before the result', async () => {
    const replica = server.offer(0);
    let before = 0;
    server.onExchange = (stage, body) => {
      if (stage === 'before' && body.commits.length > 0) before = server.lines.length;
    };
    await start();
    await until(() => stateOf(replica) === 'revealed');
    expect(before).toBe(2);
    expect(server.lines.map(({ stream, text }) => [stream, text])).toEqual([
      ['stdout', 'unit 0'],
      ['stdout', 'half'],
    ]);
  });

  it.each<[Ending, number]>([
    [{ kind: 'exit', code: 3 }, 3],
    [{ kind: 'killed', why: 'wall' }, 124],
    [{ kind: 'killed', why: 'memory' }, 137],
    [{ kind: 'killed', why: 'policy' }, 159],
  ])('states the failure of the code itself: %j', async (ending, exitCode) => {
    const replica = server.offer(0);
    await start({ program: async () => ({ ending, files: { 'metrics.json': '{"pi":1}' } }) });
    await until(() => stateOf(replica) === 'revealed');
    expect(server.rows.get(replica)?.reveal).toMatchObject({ exitCode, outputs: [] });
    expect(server.rows.get(replica)?.reveal?.metrics).toBeUndefined();
  });

  it.each<[Ending, string | undefined]>([
    [{ kind: 'killed', why: 'policy' }, 'a sealed import was called'],
    [{ kind: 'killed', why: 'wall' }, undefined],
    [{ kind: 'exit', code: 159 }, undefined],
  ])('passes on what the sandbox ended the unit for, and accuses no other: %j', async (ending, breach) => {
    const replica = server.offer(0);
    await start({ program: async () => ({ ending, evidence: { breach: 'a sealed import was called' } }) });
    await until(() => stateOf(replica) === 'revealed');
    expect(server.rows.get(replica)?.reveal?.breach).toBe(breach);
  });
});

describe('a server that fails', () => {
  it('hears a lost answer again under the same request id, and nothing twice', async () => {
    const replicas = Array.from({ length: 5 }, (_, n) => server.offer(n));
    let exchanges = 0;
    server.onExchange = (stage) => {
      if (stage === 'before') exchanges += 1;
      const fate = ['lost on the way', 'answer lost', 'fine'][exchanges % 3];
      if (exchanges < 20 && fate === (stage === 'before' ? 'lost on the way' : 'answer lost')) throw outage();
    };
    await start();
    await until(() => replicas.every((replica) => stateOf(replica) === 'revealed'));
    expect(new Set(server.requests).size).toBeLessThan(server.requests.length);
    expect(ran.toSorted()).toEqual(['0', '1', '2', '3', '4']);
  });

  it('drops what the server no longer knows', async () => {
    const replica = server.offer(0);
    await start({
      program: async (unit) => {
        server.rows.get(replica)!.state = 'lost';
        return honest(unit);
      },
    });
    await until(() => notes.some((note) => note.includes('replica.lease_expired')));
    await expect.poll(shelf).toEqual([]);
  });

  it('uploads again where an output is missing', async () => {
    const replica = server.offer(0);
    let lost = false;
    server.onExchange = (stage, body) => {
      if (stage !== 'before' || body.reveals.length === 0 || lost) return;
      lost = true;
      server.uploads.clear();
    };
    await start();
    await until(() => stateOf(replica) === 'revealed');
    expect(server.uploads.size).toBe(2);
  });

  it('gives a replica back whose outputs it cannot upload', async () => {
    const replica = server.offer(0);
    server.onObject = (verb) => {
      if (verb === 'put') throw refuse('object.too_large', 'no');
    };
    await start();
    await until(() => stateOf(replica) === 'lost');
    expect(server.rows.get(replica)?.reason).toMatch(/^upload_failed/);
  });

  it('isolates the one item that the server cannot take', async () => {
    server.open = false;
    const replicas = Array.from({ length: 4 }, (_, n) => server.offer(n));
    server.onExchange = (stage, body) => {
      if (stage === 'before' && body.commits.some((commit) => commit.replica === replicaId(2))) {
        throw refuse('request.malformed', 'poison');
      }
    };
    await start({ settings: { ...usualSettings, capacity: 4 } });
    await until(() => replicas.every((replica, n) => stateOf(replica) === (n === 2 ? 'leased' : 'committed')));
    await until(() => notes.some((note) => note.includes(replicaId(2))));
    await expect.poll(shelf).not.toContain(replicaId(2));
  });

  it('ends when it bans the worker', async () => {
    server.onExchange = () => {
      throw refuse('worker.banned', 'no');
    };
    const worker = await start();
    await expect(worker.done).rejects.toMatchObject({ code: 'worker.banned' });
  });
});

describe('a server that lies', () => {
  it.each([
    ['other bytes', () => Buffer.from('wrong')],
    ['too many bytes', () => Buffer.alloc(100, 'x')],
    ['too few bytes', () => Buffer.from('x')],
  ])('gets a replica back where an input has %s, and nothing of it stays', async (_what, bytes) => {
    server.objects.set(hashOfText('input'), bytes());
    const replica = server.offer(0);
    await start();
    await until(() => stateOf(replica) === 'lost');
    expect(server.rows.get(replica)?.reason).toMatch(/^object\.(?:hash_mismatch|too_large)/);
    expect(await readdir(join(workDir, 'inputs'))).toEqual([hashOfText('print(1)')]);
    expect(ran).toEqual([]);
  });

  const file = treeOf({ 'main.py': 'print(1)' })[0]!;
  it.each([
    ['a path upwards', { bundle: [file, { ...file, path: '../evil' }] }],
    ['an absolute path', { bundle: [file, { ...file, path: '/etc/passwd' }] }],
    ['case twins', { bundle: [file, { ...file, path: 'MAIN.py' }] }],
    ['a hash that is a path', { bundle: [{ ...file, sha256: '../../etc/passwd' }] }],
    ['a size below nothing', { bundle: [{ ...file, sizeBytes: -1 }] }],
    ['a size beyond the limits', { bundle: [{ ...file, sizeBytes: 2 ** 52 }] }],
    ['an entry point upwards', { entryPoint: '../main.py' }],
    ['an output folder upwards', { outputDir: '..' }],
    ['arguments that are none', { args: [1] }],
    ['no time', { timeoutMs: -5 }],
    ['memory beyond reason', { resources: { cpuCores: 1, memoryGb: 1e9 } }],
  ])('is declined for %s', async (_what, changes) => {
    server.spec = { ...jobSpec, ...changes } as typeof jobSpec;
    const replica = server.offer(0);
    await start();
    await until(() => stateOf(replica) === 'lost');
    expect(server.rows.get(replica)?.reason).toMatch(/^offer_unsound/);
    expect(ran).toEqual([]);
    expect(await readdir(workDir)).not.toContain('inputs');
  });

  it('cannot crash the worker with nonsense', async () => {
    const transport = server.transport();
    const replies: unknown[] = [
      null,
      7,
      'x',
      [],
      { offers: 'no' },
      { offers: [null, 5, {}], reveal: [1], refused: [0] },
    ];
    const connect: typeof transport.connect = (worker, device) => {
      const calls = transport.connect(worker, device);
      const exchange: typeof calls.exchange = async (...call) =>
        replies.length > 0 ? replies.shift() : calls.exchange(...call);
      return { ...calls, exchange };
    };
    const replica = server.offer(0);
    await start({ transport: { ...transport, connect } });
    await until(() => stateOf(replica) === 'revealed');
    expect(replies).toEqual([]);
  });
});

function failing(error: Error): WorkTransport {
  const register = async () => {
    throw error;
  };
  return { ...server.transport(), register };
}

const unusable = async () => ({ driver: 'wasm', usable: false, detail: 'no Python', runners: [] });

describe('registering', () => {
  it('is remembered while the server is away', async () => {
    await (await start()).stop();
    const replica = server.offer(0);
    expect((await start({ transport: failing(outage()) })).workerId).toBe(workerId);
    expect(notes).not.toContainEqual(expect.stringMatching(/does not answer.*does not answer/));
    await until(() => stateOf(replica) === 'revealed');
  });

  it('must succeed once, and is not remembered against a refusal', async () => {
    await expect(start({ transport: failing(outage()) })).rejects.toMatchObject({ code: 'server.unreachable' });
    await (await start()).stop();
    await expect(start({ transport: failing(refuse('worker.exists', 'no')) })).rejects.toMatchObject({
      code: 'worker.exists',
    });
  });

  it('needs a sandbox that works', async () => {
    const driver = memorySandbox(honest);
    await expect(start({ driver: { ...driver, probe: unusable } })).rejects.toMatchObject({
      code: 'sandbox.unavailable',
    });
  });
});

describe('stopping', () => {
  it('gives back what runs and claims no more', async () => {
    const replica = server.offer(0);
    const worker = await start({
      program: untilStopped,
    });
    await until(() => stateOf(replica) === 'leased');
    await worker.stop();
    expect(server.rows.get(replica)).toMatchObject({ state: 'lost', reason: 'worker_stopping' });
    expect(await shelf()).toEqual([]);
    const late = server.offer(1);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(stateOf(late)).toBe('open');
    await expect(worker.done).resolves.toBeUndefined();
  });

  it('keeps what is committed and reveals it after the next start', async () => {
    server.open = false;
    const replica = server.offer(0);
    const worker = await start();
    await until(() => stateOf(replica) === 'committed');
    await worker.stop();
    server.open = true;
    await start();
    await until(() => stateOf(replica) === 'revealed');
    expect(ran).toEqual(['0']);
  });

  it('ends a run that the server wants no more', async () => {
    const replica = server.offer(0);
    const seen: string[] = [];
    await start({
      program: async (unit) => {
        seen.push('begun');
        await untilStopped(unit);
        seen.push('stopped');
        return {};
      },
    });
    await until(() => seen.includes('begun'));
    server.rows.get(replica)!.state = 'lost';
    server.stop = [replica];
    await until(() => seen.includes('stopped'));
    await expect.poll(shelf).toEqual([]);
  });
});

async function killAt(moment: 'before' | 'after', point: 'commits' | 'reveals'): Promise<void> {
  const transport = server.transport();
  let killed = false;
  server.onExchange = (stage, body) => {
    if (killed || body[point].length === 0 || stage !== moment) return;
    killed = true;
    transport.kill();
    throw outage();
  };
  await start({ transport });
  await until(() => killed);
}

describe('kill -9 and a new start', () => {
  it.each([
    ['before the commitment arrives', 'commits', 'before'],
    ['after the commitment arrived', 'commits', 'after'],
    ['before the result arrives', 'reveals', 'before'],
    ['after the result arrived', 'reveals', 'after'],
  ] as const)('%s ends with the same result, run once', async (_what, point, stage) => {
    const replica = server.offer(0);
    await killAt(stage, point);
    const commitment = server.rows.get(replica)?.commitment;
    await start();
    await until(() => stateOf(replica) === 'revealed');
    if (commitment !== undefined) expect(server.rows.get(replica)?.commitment).toBe(commitment);
    expect(ran).toEqual(['0']);
    await expect.poll(shelf).toEqual([]);
  });

  it('in the middle of a run gives the replica back', async () => {
    const replica = server.offer(0);
    const transport = server.transport();
    await start({ transport, program: () => new Promise(() => {}) });
    await until(() => stateOf(replica) === 'leased');
    await expect.poll(shelf).toEqual([replica]);
    transport.kill();
    await start();
    await until(() => stateOf(replica) === 'lost');
    expect(server.rows.get(replica)?.reason).toBe('worker_restarted');
    await expect.poll(shelf).toEqual([]);
  });
});

describe('a dishonest worker', () => {
  it('claims what its lie says, consistently', async () => {
    const replicas = [server.offer(0), server.offer(1)];
    await start({
      lie: ({ ordinal }, files) =>
        ordinal === 1 ? new Map([...files, ['metrics.json', Buffer.from('{"pi":42}')]]) : undefined,
    });
    await until(() => replicas.every((replica) => stateOf(replica) === 'revealed'));
    expect(server.rows.get(replicas[0]!)?.reveal?.metrics).toBe('{"pi":0}');
    expect(server.rows.get(replicas[1]!)?.reveal).toMatchObject({
      metrics: '{"pi":42}',
      outputs: treeOf({ 'metrics.json': '{"pi":42}', 'out.txt': 'input' }),
    });
  });
});
