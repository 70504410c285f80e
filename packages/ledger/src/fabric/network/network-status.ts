/** How a local network is: what runs, what answers, how high its channels are, and when its certificates end. */

import { X509Certificate } from 'node:crypto';
import { readdir, readFile, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { foldersOf } from './folders.ts';
import { askAuthority } from './fabric-ca.ts';
import { healthOf } from './health.ts';
import { lastLines, runningPrograms } from './processes.ts';
import { readRecord, type NetworkRecord } from './network.ts';
import type { Folders } from './folders.ts';
import { contractsName } from './topology.ts';

export interface ProgramStatus {
  readonly name: string;
  /** Null: it does not run. */
  readonly pid: number | null;
  readonly port: number;
  /** `ok`, or what is wrong. */
  readonly health: string;
}

export interface NetworkStatus {
  /** `absent`: none was made here; `broken`: its start was interrupted; `partial`: some programs do not run. */
  readonly state: 'absent' | 'broken' | 'stopped' | 'partial' | 'up';
  readonly folder: string;
  readonly ordering: string | null;
  readonly programs: readonly ProgramStatus[];
  /** The certificate that ends first. */
  readonly firstExpiry: Readonly<{ file: string; endsMs: number }> | null;
  readonly profile: string | null;
}

export async function networkStatus(folder: string): Promise<NetworkStatus> {
  const root = await realpath(folder).catch(() => undefined);
  const nothing = { folder, ordering: null, programs: [], firstExpiry: null, profile: null };
  if (root === undefined) return { state: 'absent', ...nothing };
  const folders = foldersOf(root);
  const record = await readRecord(folders);
  const running = await runningPrograms(folders);
  if (!record) return { state: running.size > 0 ? 'broken' : 'absent', ...nothing };
  const programs = await programStatuses(folders, record, running);
  const up = programs.filter(({ pid, health }) => pid !== null && health === 'ok').length;
  const state = up === programs.length ? 'up' : programs.every(({ pid }) => pid === null) ? 'stopped' : 'partial';
  return {
    state: record.ready ? state : 'broken',
    folder: root,
    ordering: record.topology.ordering,
    programs,
    firstExpiry: await firstExpiry(folders),
    profile: record.ready ? folders.profile : null,
  };
}

function programStatuses(
  folders: Folders,
  { topology }: NetworkRecord,
  running: ReadonlyMap<string, number>,
): Promise<ProgramStatus[]> {
  const nodes = [...topology.orderers, ...topology.peers].map(async (place) => {
    const pid = running.get(place.name) ?? null;
    const health = pid === null ? await reason(folders, place.name) : await told(healthOf(folders, place));
    return { name: place.name, pid, port: place.port, health };
  });
  const servers = topology.peers.map(async (peer) => {
    const { contractsPort } = peer;
    const name = contractsName(peer);
    const pid = running.get(name) ?? null;
    return { name, pid, port: contractsPort, health: pid === null ? await reason(folders, name) : 'ok' };
  });
  const authorities = topology.authorities.map(async (place) => {
    const { name, port, mspId } = place;
    const pid = running.get(name) ?? null;
    const ask = async () => askAuthority(place, await readFile(folders.trust(mspId), 'utf8'));
    return { name, pid, port, health: pid === null ? await reason(folders, name) : await told(ask()) };
  });
  return Promise.all([...authorities, ...nodes, ...servers]);
}

/** A start that is under way has programs whose files are still to come. */
function told(health: Promise<string>): Promise<string> {
  return health.catch((error: unknown) => (error instanceof Error ? error.message : String(error)));
}

async function reason(folders: Folders, name: string): Promise<string> {
  const last = await lastLines(folders.node(name).log, 1);
  return last === '' ? 'does not run' : `does not run; its log ends with: ${last.slice(0, 200)}`;
}

async function firstExpiry({ root }: Folders): Promise<NetworkStatus['firstExpiry']> {
  const names = await readdir(root, { recursive: true }).catch(unlessGone([]));
  const files = names.filter((name) => name.endsWith('.pem')).map((name) => join(root, name));
  const ends = await Promise.all(
    files.map(async (file) => {
      const text = await readFile(file, 'utf8').catch(unlessGone(''));
      const at = text.indexOf('-----BEGIN CERTIFICATE-----');
      return at < 0 ? [] : [{ file, endsMs: Date.parse(new X509Certificate(text.slice(at)).validTo) }];
    }),
  );
  return ends.flat().toSorted((a, b) => a.endsMs - b.endsMs)[0] ?? null;
}

/** Files come and go while certificates are being issued. */
function unlessGone<T>(instead: T): (error: unknown) => T {
  return (error) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return instead;
    throw error;
  };
}
