/** What the machine shows of itself: load, battery, temperature, disk. Small adapters over files of the system. */

import type { Dirent } from 'node:fs';
import { lstat, readdir, readFile, statfs } from 'node:fs/promises';
import { availableParallelism, loadavg, platform } from 'node:os';
import { join } from 'node:path';
import type { MachineState } from './may-claim.ts';

/** Where the system keeps its figures; other folders in tests. */
export interface ReadingPaths {
  readonly powerSupplies: string;
  readonly thermalZones: string;
}

export const systemPaths: ReadingPaths = {
  powerSupplies: '/sys/class/power_supply',
  thermalZones: '/sys/class/thermal',
};

/** The share of all cores that others keep busy: the average of a minute less `own` units; null where none is kept. */
export function otherLoad(own: number): number | null {
  if (platform() === 'win32') return null;
  return Math.max(0, ((loadavg()[0] ?? 0) - own) / availableParallelism());
}

async function textOf(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').then(
    (text) => text.trim(),
    () => undefined,
  );
}

async function namesIn(folder: string): Promise<string[]> {
  return readdir(folder).catch(() => []);
}

/** The emptiest battery, and whether mains are connected; null without a battery. */
export async function readBattery(folder: string): Promise<MachineState['battery']> {
  let percent: number | undefined;
  let onMains = false;
  let discharging = false;
  for (const name of await namesIn(folder)) {
    const at = (file: string) => textOf(join(folder, name, file));
    const type = await at('type');
    // Batteries of mice and headsets say that they supply a device.
    if (type === 'Battery' && (await at('scope')) !== 'Device') {
      const capacity = Number((await at('capacity')) ?? Number.NaN);
      if (!Number.isFinite(capacity)) continue;
      percent = Math.min(percent ?? 100, capacity);
      discharging ||= (await at('status')) === 'Discharging';
    } else if (type === 'Mains' || type === 'USB') onMains ||= (await at('online')) === '1';
  }
  return percent === undefined ? null : { percent, onMains: onMains && !discharging };
}

/** The hottest sensor in degrees Celsius; null where none can be read. */
export async function readCelsius(folder: string): Promise<number | null> {
  let hottest: number | null = null;
  for (const name of await namesIn(folder)) {
    if (!name.startsWith('thermal_zone')) continue;
    const millidegrees = Number((await textOf(join(folder, name, 'temp'))) ?? Number.NaN);
    if (Number.isFinite(millidegrees)) hottest = Math.max(hottest ?? -Infinity, millidegrees / 1000);
  }
  return hottest;
}

/** The bytes that the files under `folder` take; what disappears meanwhile counts as nothing, no link is followed. */
export async function bytesUnder(folder: string): Promise<number> {
  const entries: Dirent[] = await readdir(folder, { withFileTypes: true }).catch(() => []);
  let bytes = 0;
  for (const entry of entries) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) bytes += await bytesUnder(path);
    else if (entry.isFile()) bytes += (await lstat(path).catch(() => undefined))?.size ?? 0;
  }
  return bytes;
}

/** What is free for unprivileged programs on the disk of `folder`. */
export async function freeBytesOf(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}
