/** Sandboxes with a wall taken down: the suite must notice, or it proves nothing. */

import { chmod, cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SandboxDriver } from '@assay/core';
import { attack, type AttackKit } from './attack-suite.setup.ts';
import { openCanaries, type Canaries } from './canaries.setup.ts';
import { dockerAttackKit } from './docker-attack-kit.setup.ts';
import { ownChildren } from './host-state.setup.ts';
import { inOpenInterpreter } from './open-interpreter.setup.ts';
import { probes } from './probes.setup.ts';
import type { CreateBody } from '../docker/container-body.ts';
import { neededFor } from '../docker/driver.setup.ts';
import { driverKit } from '../wasm/driver.setup.ts';
import { languages } from '../wasm/languages.ts';
import { runInChild } from '../wasm/run-unit.ts';
import { prepareRuntime } from '../wasm/runtime.ts';

let canaries: Canaries;
beforeAll(async () => {
  canaries = await openCanaries(tmpdir());
});
afterAll(() => canaries.close());

/** The probes with these ids, and of those that do not get through what became of them. */
async function through(kit: AttackKit, ids: readonly string[]): Promise<string[]> {
  const escaped: string[] = [];
  for (const id of ids) {
    const probe = probes.find((one) => one.id === id);
    if (!probe) throw new Error(`no probe ${id}`);
    const { verdict, how } = await attack(kit, probe, canaries);
    escaped.push(verdict === 'escaped' ? id : `${id} is ${verdict}: ${how}`);
  }
  return escaped;
}

function asRoot(body: CreateBody): CreateBody {
  const { Config, HostConfig } = body;
  return { ...body, Config: { ...Config, User: '0:0' }, HostConfig: { ...HostConfig, ReadonlyRootfs: false } };
}

const { skip, why } = neededFor('runc');

describe.skipIf(skip)(`docker without a wall${why}`, () => {
  it.each<[string, object, readonly string[]]>([
    [
      'its network',
      { NetworkMode: 'host', UsernsMode: 'host' },
      ['network.tcp', 'network.abstract', 'network.interfaces'],
    ],
    [
      'its system call filter',
      { SecurityOpt: ['seccomp=unconfined'] },
      ['kernel.unshare-user', 'kernel.keyctl', 'kernel.ptrace'],
    ],
    ['dropped capabilities', { CapDrop: [], CapAdd: ['SYS_ADMIN'] }, ['privileges.capabilities']],
    ['its bounds on files', { Ulimits: [] }, ['privileges.rlimits']],
    ['shared memory of its own', { IpcMode: 'private' }, ['files.create']],
  ])(
    '%s',
    async (_wall, host, ids) => {
      const weaken = ({ Config, HostConfig, ...body }: CreateBody): CreateBody => ({
        ...body,
        Config: { ...Config, NetworkDisabled: !('NetworkMode' in host) },
        HostConfig: { ...HostConfig, ...host },
      });
      const kit = await dockerAttackKit({ runtime: 'runc', weaken });
      try {
        expect(await through(kit, ids)).toEqual(ids);
      } finally {
        await kit.close();
      }
    },
    120_000,
  );

  it('its user and its read-only root', async () => {
    const kit = await dockerAttackKit({ runtime: 'runc', weaken: asRoot });
    try {
      const ids = ['privileges.root', 'files.create'];
      expect(await through(kit, ids)).toEqual(ids);
    } finally {
      await kit.close();
    }
  }, 120_000);
});

describe('wasm without a wall', () => {
  it('its seal', async () => {
    const kit = await openGate();
    try {
      expect(await through(kit, ['js.core'])).toEqual(['js.core']);
    } finally {
      await kit.close();
    }
  }, 60_000);
});

/** The wasm driver's child process with a gate that never closes. */
async function openGate(): Promise<AttackKit> {
  const kit = await driverKit();
  const [python] = languages;
  if (!python) throw new Error('the first language is Python');
  const sound = await prepareRuntime(python, kit.cacheDir, () => {});
  const folder = await mkdtemp(join(sound.folder, '..', 'open-gate-'));
  await cp(sound.folder, folder, { recursive: true });
  await chmod(folder, 0o755);
  const gate = join(folder, 'guest', 'gate.mjs');
  const text = await readFile(gate, 'utf8');
  const open = text.replace('sealed = true;', 'sealed = false;');
  expect(open).not.toBe(text);
  await rm(gate);
  await writeFile(gate, open, { mode: 0o644 });
  const run: SandboxDriver['run'] = async (unit, log, stop) => {
    const outputRoot = await mkdtemp(join(kit.folder, 'outputs-'));
    const runtime = { ...sound, folder, ...(sound.node.startsWith(sound.folder) && { node: join(folder, 'node') }) };
    const report = await runInChild({ runtime, unit, log, stop, outputRoot, onSpawn: async () => {} });
    return { ...report, outputRoot, release: () => rm(outputRoot, { recursive: true, force: true }) };
  };
  return {
    ...kit,
    driver: { ...kit.driver, run },
    language: 'pyodide',
    versions: {},
    residual: {},
    open: inOpenInterpreter,
    left: ownChildren,
    async close() {
      await rm(folder, { recursive: true, force: true });
      await kit.close();
    },
  };
}
