/** Sandboxes with a wall taken down: the suite must notice, or it proves nothing. */

import { tmpdir } from 'node:os';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { attack, type AttackKit } from './attack-suite.setup.ts';
import { openCanaries, type Canaries } from './canaries.setup.ts';
import { dockerAttackKit } from './docker-attack-kit.setup.ts';
import { ownChildren } from './host-state.setup.ts';
import { inOpenInterpreter } from './open-interpreter.setup.ts';
import { probes } from './probes.setup.ts';
import type { CreateBody } from '../docker/container-body.ts';
import { neededFor } from '../docker/driver.setup.ts';
import { driverKit } from '../wasm/driver.setup.ts';
import { exchangedGuest } from '../wasm/exchanged-guest.setup.ts';
import { languages } from '../wasm/languages.ts';

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
    ['its network', { NetworkMode: 'host', UsernsMode: 'host' }, ['network.abstract']],
    [
      'its network, and its filter of sockets',
      { NetworkMode: 'host', UsernsMode: 'host', SecurityOpt: ['seccomp=unconfined'] },
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

/** The wasm driver's child process with a gate that never closes, and with the bridge to JavaScript, which units lack. */
async function openGate(): Promise<AttackKit> {
  const kit = await driverKit();
  const [python] = languages;
  if (!python) throw new Error('the first language is Python');
  const main = 'python/main.mjs';
  const { driver, close } = await exchangedGuest(kit, python, [
    ['gate.mjs', 'sealed = true;', 'sealed = false;'],
    [main, 'loadPython(runtime, image);', 'startPython(runtime); python.FS.streams.fill(null, 1, 3);'],
    [main, 'image.lay(python.HEAPU8);', "evaluate(python, settle.replace('del sys.modules[name]', 'pass'));"],
  ]);
  return {
    ...kit,
    driver,
    language: 'pyodide',
    versions: {},
    residual: {},
    open: inOpenInterpreter,
    left: ownChildren,
    async close() {
      await close();
      await kit.close();
    },
  };
}
