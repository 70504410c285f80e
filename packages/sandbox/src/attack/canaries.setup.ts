/** What lies outside the sandbox for probes to find, and whether anybody touched it. */

import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Canaries {
  /** What the names in a probe's code stand for. */
  readonly names: Readonly<Record<string, string | number>>;
  /** In the file, the environment and the arguments of a process; it never stands in a probe's code. */
  readonly secret: string;
  readonly folder: string;
  /** Which canaries were touched since the last call, and which marked processes are alive. */
  touched(): readonly string[];
  close(): Promise<void>;
}

/** Lays out the canaries; `state` is the folder of the sandbox on this machine, whose path no unit may learn. */
export async function openCanaries(state: string): Promise<Canaries> {
  const id = randomBytes(8).toString('hex');
  const secret = `canary-${randomBytes(16).toString('hex')}`;
  const marker = `assay-survivor-${id}`;
  const folder = await mkdtemp(join(tmpdir(), 'assay-canary-'));
  await chmod(folder, 0o755);
  await writeFile(join(folder, 'canary'), secret, { mode: 0o644 });
  const outside = await openListeners(folder, id);
  const process = spawn('/bin/sh', ['-c', 'sleep 3600 & wait', secret], {
    stdio: 'ignore',
    detached: true,
    env: { ASSAY_CANARY: secret },
  });
  return {
    secret,
    folder,
    names: {
      file: join(folder, 'canary'),
      folder,
      ...outside.names,
      abstract: `assay-${id}`,
      marker,
      pid: process.pid ?? 0,
      needle: secret.slice(0, 20),
      hostname: hostname(),
      ids: identities().join(','),
      state,
      booted: Math.round(Date.now() / 1000 - uptime()),
    },
    touched() {
      const found = outside.touched();
      if (hasProcess(marker)) found.push('a process was left behind');
      return found;
    },
    async close() {
      if (process.pid !== undefined) globalThis.process.kill(-process.pid, 'SIGKILL');
      outside.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Whatever a unit could speak to on this machine; each remembers that it was spoken to. */
async function openListeners(folder: string, id: string) {
  const touches = new Set<string>();
  const servers: Server[] = [];
  const listen = async (name: string, where: { path: string } | { port: number; host: string }): Promise<number> => {
    const server = createServer((socket) => {
      touches.add(name);
      socket.on('error', () => {}).destroy();
    });
    servers.push(server);
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject).listen(where, resolve);
    });
    if ('path' in where && !where.path.startsWith('\0')) await chmod(where.path, 0o777);
    const address = server.address();
    return typeof address === 'object' && address ? address.port : 0;
  };
  const tcp = await listen('TCP', { port: 0, host: '127.0.0.1' });
  await listen('TCP over IPv6', { port: tcp, host: '::1' }).catch(() => 0);
  const unix = join(folder, 'socket');
  const docker = join(folder, 'docker.sock');
  await listen('Unix socket', { path: unix });
  await listen('container engine', { path: docker });
  await listen('abstract socket', { path: `\0assay-${id}` });
  const datagrams = createSocket('udp4');
  datagrams.on('message', (_bytes, from) => {
    touches.add('UDP');
    datagrams.send('answer', from.port, from.address);
  });
  await new Promise<void>((resolve) => {
    datagrams.bind(0, '127.0.0.1', resolve);
  });
  return {
    names: { tcp, udp: datagrams.address().port, unix, docker },
    touched(): string[] {
      const found = [...touches];
      touches.clear();
      return found;
    },
    close(): void {
      datagrams.close();
      for (const server of servers) server.close();
    },
  };
}

function uptime(): number {
  return existsSync('/proc/uptime') ? Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]) : 0;
}

/** What names this machine for ever, or until its next start. */
function identities(): string[] {
  const paths = ['/etc/machine-id', '/proc/sys/kernel/random/boot_id', '/sys/class/dmi/id/product_uuid'];
  return paths.flatMap((path) => {
    try {
      return [readFileSync(path, 'utf8').trim()].filter((text) => text !== '');
    } catch {
      return [];
    }
  });
}

function hasProcess(marker: string): boolean {
  return everyProcess().some((pid) => {
    try {
      const state = /^State:\s+(\S)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
      return state !== 'Z' && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(marker);
    } catch {
      return false;
    }
  });
}

function everyProcess(): string[] {
  return existsSync('/proc') ? readdirSync('/proc').filter((name) => /^\d+$/.test(name)) : [];
}
