import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { dockerFindings, engineFindings, engineInfo, type EngineInfo } from './docker.ts';

let folder: string;
let server: Server | undefined;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'assay-engine-'));
});
afterEach(async () => {
  server?.close();
  server = undefined;
  await rm(folder, { recursive: true, force: true });
});

async function engine(status: number, body: string): Promise<string> {
  const path = join(folder, 'docker.sock');
  server = createServer((_, reply) => reply.writeHead(status, { 'content-type': 'application/json' }).end(body));
  server.listen(path);
  await once(server, 'listening');
  return path;
}

const able: EngineInfo = {
  version: '28.0.1',
  cgroupVersion: '2',
  cgroupDriver: 'systemd',
  runtimes: ['runc', 'runsc'],
  security: ['seccomp', 'userns', 'cgroupns'],
};

test('an engine that holds everything has no lack', () => {
  const findings = engineFindings(able, ['platform-runner:python']);
  expect(findings.every(({ state }) => state === 'ok')).toBe(true);
  expect(findings.map(({ what }) => what)).toEqual(['Docker', 'gVisor', 'userns', 'seccomp', 'cgroup', 'images']);
});

test.each([
  ['gVisor', { runtimes: ['runc'] }, ['r'], /trusted jobs only/, /deploy\/tools\/build gvisor/],
  ['userns', { security: ['seccomp'] }, ['r'], /nothing is run in Docker/, /userns-remap/],
  ['seccomp', { security: ['userns'] }, ['r'], /nothing is run in Docker/, /seccomp/],
  ['images', {}, [], /no runner runs in Docker/, /assay images build/],
])('a lack of %s says what follows and what mends it', (what, changes, images, follows, mends) => {
  const lacks = engineFindings({ ...able, ...changes }, images).filter(({ state }) => state !== 'ok');
  expect(lacks).toMatchObject([
    { what, state: 'missing', text: expect.stringMatching(follows), fix: expect.stringMatching(mends) },
  ]);
});

test('a rootless engine counts as one with users of its own', () => {
  const info = { ...able, security: ['seccomp', 'rootless'] };
  expect(engineFindings(info, ['r']).find(({ what }) => what === 'userns')).toMatchObject({ state: 'ok' });
});

test('an engine’s answer is read, and an older one’s without the version of its control groups', async () => {
  const socket = await engine(
    200,
    JSON.stringify({
      ServerVersion: '20.10.24',
      CgroupDriver: 'cgroupfs',
      Runtimes: { runc: {}, runsc: {} },
      SecurityOptions: ['name=seccomp,profile=default', 'name=userns'],
    }),
  );
  expect(await engineInfo(socket)).toEqual({
    version: '20.10.24',
    cgroupVersion: '1',
    cgroupDriver: 'cgroupfs',
    runtimes: ['runc', 'runsc'],
    security: ['seccomp', 'userns'],
  });
});

test('says why no engine can be used', async () => {
  const missing = join(folder, 'missing.sock');
  expect(await engineInfo(missing)).toBe(`there is no ${missing}`);
  await writeFile(join(folder, 'file'), '');
  expect(await engineInfo(join(folder, 'file'))).toContain('nobody listens');
  expect(await engineInfo(await engine(500, '{}'))).toBe('it answers 500');
  expect(await dockerFindings(missing)).toMatchObject([{ what: 'Docker', state: 'missing' }]);
});
