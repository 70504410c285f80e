import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { bytesUnder, freeBytesOf, otherLoad, readBattery, readCelsius } from './readings.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'assay-readings-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function lay(files: Readonly<Record<string, string>>): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
}

describe('readBattery', () => {
  it('finds none on a machine without one, whatever its mouse has', async () => {
    expect(await readBattery(join(folder, 'missing'))).toBeNull();
    await lay({ 'AC/type': 'Mains\n', 'AC/online': '1\n' });
    await lay({ 'mouse/type': 'Battery\n', 'mouse/scope': 'Device\n', 'mouse/capacity': '5\n' });
    expect(await readBattery(folder)).toBeNull();
  });

  it('reads the emptiest battery and whether mains are there', async () => {
    await lay({ 'BAT0/type': 'Battery\n', 'BAT0/capacity': '90\n', 'BAT0/status': 'Full\n' });
    await lay({ 'BAT1/type': 'Battery\n', 'BAT1/capacity': '40\n', 'BAT1/status': 'Discharging\n' });
    await lay({ 'AC/type': 'Mains\n', 'AC/online': '0\n' });
    expect(await readBattery(folder)).toEqual({ percent: 40, onMains: false });
    await lay({ 'AC/online': '1\n', 'BAT1/status': 'Charging\n' });
    expect(await readBattery(folder)).toEqual({ percent: 40, onMains: true });
    // A charger that gives less than the machine takes does not count.
    await lay({ 'BAT1/status': 'Discharging\n' });
    expect(await readBattery(folder)).toEqual({ percent: 40, onMains: false });
    await lay({ 'BAT1/capacity': 'n/a\n' });
    expect(await readBattery(folder)).toMatchObject({ percent: 90 });
  });
});

describe('readCelsius', () => {
  it('reads the hottest zone, and nothing where there is none', async () => {
    expect(await readCelsius(folder)).toBeNull();
    await lay({ 'cooling_device0/temp': '99000', 'thermal_zone0/temp': '41500\n', 'thermal_zone1/temp': '63000\n' });
    await lay({ 'thermal_zone2/type': 'no reading' });
    expect(await readCelsius(folder)).toBe(63);
  });
});

describe('the disk', () => {
  it('is counted without following links', async () => {
    await lay({ 'a/one': 'x'.repeat(1000), 'a/b/two': 'y'.repeat(24) });
    await symlink('/usr', join(folder, 'a', 'link'));
    expect(await bytesUnder(folder)).toBe(1024);
    expect(await bytesUnder(join(folder, 'missing'))).toBe(0);
    expect(await freeBytesOf(folder)).toBeGreaterThan(0);
  });
});

describe('otherLoad', () => {
  it('leaves our own units out and is never below nothing', () => {
    expect(otherLoad(10_000)).toBe(0);
    expect(otherLoad(0)).toBeGreaterThanOrEqual(0);
  });
});
