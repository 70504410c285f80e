import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { cgroupMounts } from '../cgroup.ts';
import { askEngine, engineAnswers } from './api.ts';
import { startEngine, type Engine } from './engine.ts';
import { engineFolders } from './folders.ts';
import { findLeftovers } from './leftovers.ts';
import { findRunsc } from './programs.ts';
import { needed } from './programs.setup.ts';
import { importTinyImage } from './tiny-image.setup.ts';

const { skip, why } = needed('docker');
const nothing = { processes: [], mounts: [], cgroups: [] };

function post(engine: Pick<Engine, 'socketPath'>, path: string, body?: object): ReturnType<typeof askEngine> {
  const stream =
    body === undefined ? {} : { body: Readable.from([JSON.stringify(body)]), contentType: 'application/json' };
  return askEngine(engine.socketPath, 'POST', path, stream);
}

async function runSleeper(engine: Engine, runtime: string): Promise<string> {
  const Image = await importTinyImage(engine.socketPath, ['/bin/sleep']);
  const HostConfig = { NetworkMode: 'none', Runtime: runtime, CgroupParent: `${engine.cgroupParent}/job` };
  const created = await post(engine, '/containers/create', { Image, Cmd: ['/bin/sleep', '1000'], HostConfig });
  expect(created).toMatchObject({ status: 201 });
  const { Id } = JSON.parse(created.body) as { Id: string };
  expect(await post(engine, `/containers/${Id}/start`)).toMatchObject({ status: 204, body: '' });
  return Id;
}

describe.skipIf(skip)(`an engine of our own${why}`, { timeout: 60_000 }, () => {
  let folder: string;
  const started: Engine[] = [];

  async function start(runsc?: string): Promise<Engine> {
    const engine = await startEngine({ folder, ...(runsc === undefined ? {} : { runsc }) });
    started.push(engine);
    return engine;
  }

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'assay-engine-'));
    chmodSync(folder, 0o711);
  });
  afterEach(async () => {
    await Promise.all(started.splice(0).map((engine) => engine.stop()));
    rmSync(folder, { recursive: true, force: true });
  });

  test('maps users, has no network and no log, and leaves the usual socket alone', async () => {
    const before = existsSync('/var/run/docker.sock');
    const engine = await start();
    const info = JSON.parse((await askEngine(engine.socketPath, 'GET', '/info')).body) as Record<string, unknown>;
    expect(info).toMatchObject({ LoggingDriver: 'none', CgroupDriver: 'cgroupfs', LiveRestoreEnabled: false });
    expect(info['SecurityOptions']).toEqual(expect.arrayContaining(['name=userns']));
    expect(Object.keys(info['Runtimes'] as object)).toContain('runc');
    const networks = JSON.parse((await askEngine(engine.socketPath, 'GET', '/networks')).body) as { Name: string }[];
    expect(networks.map(({ Name }) => Name).toSorted()).toEqual(['host', 'none']);
    expect(statSync(engine.socketPath).mode & 0o007).toBe(0);
    expect(existsSync('/var/run/docker.sock')).toBe(before);
  });

  test('is shared by its users and ends with the last of them', async () => {
    const [first, second] = await Promise.all([start(), start()]);
    await first.stop();
    await first.stop();
    expect(await engineAnswers(second.socketPath)).toBe(true);
    await second.stop();
    expect(findLeftovers(engineFolders(folder))).toEqual(nothing);
  });

  test('is not joined by one that wants other settings', async () => {
    await start('none');
    await expect(start('/bin/true')).rejects.toMatchObject({ code: 'sandbox.unavailable' });
  });

  test('ends with containers running, and forgets them', async () => {
    const engine = await start();
    await runSleeper(engine, 'runc');
    expect(findLeftovers(engineFolders(folder)).cgroups).not.toEqual([]);
    await engine.stop();
    expect(findLeftovers(engineFolders(folder))).toEqual(nothing);
    const next = await start();
    expect(await askEngine(next.socketPath, 'GET', '/containers/json?all=1')).toMatchObject({ body: '[]\n' });
  });

  test('keeps its images from one start to the next', async () => {
    const engine = await start();
    const id = await importTinyImage(engine.socketPath, ['/bin/true']);
    await engine.stop();
    const next = await start();
    expect(await askEngine(next.socketPath, 'GET', `/images/${id}/json`)).toMatchObject({ status: 200 });
  });

  test.each(['daemon', 'all of it'])('is replaced whole after a kill -9 of its user and of the %s', async (what) => {
    const child = spawn(process.execPath, [fileURLToPath(new URL('engine-user.setup.ts', import.meta.url)), folder], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const exited = once(child, 'exit');
    await once(child.stdout, 'data');
    const folders = engineFolders(folder);
    const socketPath = folders.socket;
    expect(await engineAnswers(socketPath)).toBe(true);
    const engine: Engine = {
      socketPath,
      cgroupParent: folders.cgroupParent,
      gvisor: false,
      stop: async () => undefined,
    };
    await runSleeper(engine, 'runc');
    const { processes } = findLeftovers(folders);
    expect(processes.some(({ command }) => command[0] === '/bin/sleep')).toBe(true);
    child.kill('SIGKILL');
    await exited;
    const victims = processes.filter(({ command }) => what === 'all of it' || command[0]?.endsWith('dockerd'));
    for (const { pid } of victims) process.kill(pid, 'SIGKILL');

    const next = await start('none');
    const after = findLeftovers(folders);
    expect(after.processes.filter(({ pid }) => processes.some((old) => old.pid === pid))).toEqual([]);
    expect(after.processes.some(({ command }) => command[0] === '/bin/sleep')).toBe(false);
    expect(await askEngine(next.socketPath, 'GET', '/containers/json?all=1')).toMatchObject({ body: '[]\n' });
    await next.stop();
    expect(findLeftovers(folders)).toEqual(nothing);
  });

  test('takes over from a user that was killed and left it running', async () => {
    const child = spawn(process.execPath, [fileURLToPath(new URL('engine-user.setup.ts', import.meta.url)), folder], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const exited = once(child, 'exit');
    await once(child.stdout, 'data');
    child.kill('SIGKILL');
    await exited;
    const orphan = readFileSync(join(folder, 'docker.pid'), 'utf8');
    const engine = await start('none');
    expect(readFileSync(join(folder, 'docker.pid'), 'utf8')).not.toBe(orphan);
    await engine.stop();
    expect(findLeftovers(engineFolders(folder))).toEqual(nothing);
  });

  test('refuses a folder that containers cannot reach', async () => {
    chmodSync(folder, 0o700);
    await expect(start()).rejects.toMatchObject({
      code: 'sandbox.unavailable',
      message: expect.stringContaining(folder),
    });
  });

  test('says why a daemon does not start', async () => {
    const engine = await start('none');
    await engine.stop();
    rmSync(join(folder, 'root'), { recursive: true });
    // A file where the daemon wants its folder.
    writeFileSync(join(folder, 'root'), '');
    await expect(start('none')).rejects.toMatchObject({
      code: 'sandbox.fault',
      message: expect.stringMatching(/does not start[^]*root/),
    });
    expect(findLeftovers(engineFolders(folder))).toEqual(nothing);
  });
});

const gvisor = needed('docker', 'runsc');
const { v1 } = cgroupMounts();

describe.skipIf(gvisor.skip)(`gVisor in an engine of our own${gvisor.why}`, { timeout: 60_000 }, () => {
  test('runs containers with their users mapped, and ends with them', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'assay-engine-'));
    chmodSync(folder, 0o711);
    try {
      const engine = await startEngine({ folder });
      expect(engine.gvisor).toBe(true);
      const id = await runSleeper(engine, 'runsc');
      expect(await askEngine(engine.socketPath, 'GET', `/containers/${id}/json`)).toMatchObject({
        body: expect.stringContaining('"Status":"running"'),
      });
      const { processes } = findLeftovers(engineFolders(folder));
      expect(processes.some(({ command }) => command[0] === 'runsc-sandbox')).toBe(true);
      await engine.stop();
      expect(findLeftovers(engineFolders(folder))).toEqual(nothing);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  test.skipIf(!v1.has('freezer'))('ends with what lies frozen in it', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'assay-engine-'));
    chmodSync(folder, 0o711);
    try {
      const engine = await startEngine({ folder });
      await runSleeper(engine, 'runsc');
      const folders = engineFolders(folder);
      const frozen = findLeftovers(folders).cgroups.filter((path) => existsSync(join(path, 'freezer.state')));
      for (const path of frozen) writeFileSync(join(path, 'freezer.state'), 'FROZEN');
      const daemon = findLeftovers(folders).processes.find(({ command }) => command[0]?.endsWith('dockerd'));
      process.kill(daemon?.pid ?? 0, 'SIGKILL');
      await engine.stop();
      expect(findLeftovers(folders)).toEqual(nothing);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  test('is the pinned version', () => {
    expect(findRunsc()).toMatch(/gvisor-\d{8}\/bin\/runsc$/);
  });
});
