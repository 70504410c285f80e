/** Where an engine of ours keeps what, and the settings that it starts with. */

import { createHash } from 'node:crypto';
import { mkdirSync, realpathSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Refusal } from '@assay/core';

export interface EngineFolders {
  readonly folder: string;
  readonly settings: string;
  readonly socket: string;
  readonly pidFile: string;
  readonly log: string;
  /** Images and containers: kept from one start to the next. */
  readonly dataRoot: string;
  /** Sockets, bundles and mounts of what runs: nothing there outlives a stop. */
  readonly execRoot: string;
  /** One file per process that uses the engine. */
  readonly users: string;
  /** Every control group of the engine's containers lies below this one. */
  readonly cgroupParent: string;
}

const socketPathBytes = 100;

/** Makes the folder and names its parts; refuses one that containers could not reach. */
export function engineFolders(wanted: string): EngineFolders {
  mkdirSync(join(wanted, 'users'), { recursive: true, mode: 0o711 });
  const folder = realpathSync(wanted);
  if (Buffer.byteLength(join(folder, 'docker.sock')) > socketPathBytes) {
    throw new Refusal('sandbox.unavailable', `the engine's folder needs a shorter path: ${folder}`);
  }
  for (let at = folder; at !== '/'; at = dirname(at)) {
    // Root inside a container is nobody outside it, and has to pass through here to its own files.
    if ((statSync(at).mode & 0o001) === 0) {
      throw new Refusal('sandbox.unavailable', `the engine's folder must be reachable by all: chmod o+x ${at}`);
    }
  }
  return {
    folder,
    settings: join(folder, 'daemon.json'),
    socket: join(folder, 'docker.sock'),
    pidFile: join(folder, 'docker.pid'),
    log: join(folder, 'engine.log'),
    dataRoot: join(folder, 'root'),
    execRoot: join(folder, 'exec'),
    users: join(folder, 'users'),
    cgroupParent: `/assay-${createHash('sha256').update(folder).digest('hex').slice(0, 12)}`,
  };
}

/** The engine's settings: users remapped, no network of any kind, nothing logged, gVisor beside runc where it is. */
export function engineSettings(folders: EngineFolders, runscPath: string | undefined): string {
  const gvisor = {
    path: runscPath,
    // Without the last one gVisor ignores a container's system call filter.
    runtimeArgs: ['--network=none', '--platform=systrap', '--oci-seccomp'],
  };
  const settings = {
    'data-root': folders.dataRoot,
    'exec-root': folders.execRoot,
    pidfile: folders.pidFile,
    hosts: [`unix://${folders.socket}`],
    group: 'root',
    'userns-remap': 'default',
    'no-new-privileges': true,
    'live-restore': false,
    iptables: false,
    ip6tables: false,
    'ip-forward': false,
    'ip-masq': false,
    bridge: 'none',
    'log-driver': 'none',
    'log-level': 'warn',
    'cgroup-parent': folders.cgroupParent,
    'exec-opts': ['native.cgroupdriver=cgroupfs'],
    'shutdown-timeout': 2,
    ...(runscPath === undefined ? {} : { runtimes: { runsc: gvisor } }),
  };
  return `${JSON.stringify(settings, undefined, 2)}\n`;
}
