import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { foldersOf, type Folders } from './folders.ts';
import { startOf } from './process-identity.ts';
import { lastLines, recordedPrograms, runningPrograms, startProgram, stopPrograms } from './processes.ts';

const program = { name: 'orderer1', path: '/bin/sleep', args: ['1000'], environment: {} };
/** What tells the same where there is no /proc. */
const hasPs = existsSync('/bin/ps') || existsSync('/usr/bin/ps');
const hasProc = existsSync('/proc/self/stat');

/** A process that has ended and whose parent never asks how. */
async function leaveUncollected(): Promise<number> {
  // The second sleep takes the shell's place, and knows of no child.
  const script = 'sleep 1000 & echo $!; exec sleep 1000';
  const parent = spawn('/bin/sh', ['-c', script], {
    env: { PATH: '/bin:/usr/bin' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void parent.kill());
  const pid = await new Promise<number>((resolve) => {
    parent.stdout.once('data', (text: Buffer) => resolve(Number(text)));
  });
  await vi.waitFor(async () => expect(await readFile(`/proc/${parent.pid}/cmdline`, 'latin1')).toMatch(/^sleep/));
  return pid;
}

describe('the programs of a network', () => {
  let folders: Folders;
  beforeEach(async () => {
    folders = foldersOf(await mkdtemp(join(tmpdir(), 'assay-programs-')));
  });
  afterEach(async () => {
    await stopPrograms(folders);
    await rm(folders.root, { recursive: true, force: true });
  });

  test('are found by mark and by record, and are gone when they were ended', async () => {
    const pid = await startProgram(folders, program);
    const expected = new Map([['orderer1', pid]]);
    expect(await runningPrograms(folders)).toEqual(expected);
    expect(await recordedPrograms(folders)).toEqual(expected);
    expect(await stopPrograms(folders)).toEqual(['orderer1']);
    expect(await runningPrograms(folders)).toEqual(new Map());
    expect(await recordedPrograms(folders)).toEqual(new Map());
  });

  test('are not those that have a recorded number since', async () => {
    await startProgram(folders, program);
    const [pid] = (await readFile(folders.pid('orderer1'), 'utf8')).split(' ');
    for (const of of [`${pid} 1\n`, `${pid}\n`, '', `${pid} ended\n`]) {
      await writeFile(folders.pid('orderer1'), of);
      expect([of, await recordedPrograms(folders)]).toEqual([of, new Map()]);
    }
  });

  test.skipIf(!hasProc)('have ended also where nobody collects them', async () => {
    const pid = await leaveUncollected();
    expect(await startOf(pid)).toMatch(/^\d+$/);
    if (hasPs) expect(await startOf(pid, '/nowhere')).toMatch(/\d\d:\d\d:\d\d/);
    await mkdir(folders.node('peer1').home, { recursive: true });
    await writeFile(folders.pid('peer1'), `${pid} ${await startOf(pid)}\n`);
    expect(await recordedPrograms(folders)).toEqual(new Map([['peer1', pid]]));
    process.kill(pid, 'SIGKILL');
    await vi.waitFor(async () => expect(await startOf(pid)).toBeUndefined());
    expect(process.kill(pid, 0)).toBe(true);
    expect(await startOf(pid, '/nowhere')).toBeUndefined();
    expect(await recordedPrograms(folders)).toEqual(new Map());
  });

  test.skipIf(!hasProc)('are waited for until they end, not until somebody collects them', async () => {
    const mark = { PATH: '/bin:/usr/bin', ASSAY_FABRIC_NODE: `${folders.root}#peer1` };
    const script = 'env -u ASSAY_FABRIC_NODE sh -c true; sleep 1000 & exec env -u ASSAY_FABRIC_NODE sleep 1000';
    const parent = spawn('/bin/sh', ['-c', script], { env: mark, stdio: 'ignore' });
    onTestFinished(() => void parent.kill());
    await vi.waitFor(async () => {
      const [pid] = (await runningPrograms(folders)).values();
      expect(pid === undefined || pid === parent.pid).toBe(false);
      expect(await readFile(`/proc/${parent.pid}/environ`, 'latin1')).not.toContain('ASSAY_FABRIC_NODE');
    });
    expect(await stopPrograms(folders)).toEqual(['peer1']);
  });

  test('show the end of their logs, however long these are', async () => {
    const path = join(folders.root, 'log');
    expect(await lastLines(path)).toBe('');
    await writeFile(path, '');
    expect(await lastLines(path)).toBe('');
    await writeFile(path, `${'x'.repeat(200_000)}\none\ntwo\nthree\n`);
    expect(await lastLines(path, 2)).toBe('two\nthree');
    expect((await lastLines(path, 9)).length).toBeLessThan(70_000);
  });
});
