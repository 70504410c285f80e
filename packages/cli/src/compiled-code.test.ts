import { spawnSync } from 'node:child_process';
import { existsSync, realpathSync, statSync } from 'node:fs';
import { chmod, chown, mkdir, mkdtemp, realpath, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { isOwn } from './compiled-code.ts';

const isRoot = process.getuid?.() === 0;

/** Whether temporary files lie where only their owner and root can move them: the tests make folders there that are safe. */
const isSafe = (path: string): boolean => {
  const { uid, mode } = statSync(path);
  const guarded = [0, process.getuid?.()].includes(uid) && ((mode & 0o022) === 0 || (mode & 0o1000) !== 0);
  return guarded && (dirname(path) === path || isSafe(dirname(path)));
};
const canTest = process.platform !== 'win32' && isSafe(realpathSync(tmpdir()));

let top: string;
let folder: string;

beforeEach(async () => {
  top = await realpath(await mkdtemp(join(tmpdir(), 'assay-compiled-')));
  folder = join(top, 'assay', 'compiled');
});

afterEach(() => rm(top, { recursive: true, force: true }));

describe.runIf(canTest)('the folder of compiled code (needs temporary files that others cannot move)', () => {
  test.each([
    ['bans list', true],
    ['worker', false],
  ])('is for commands that come and go, not for programs that stay (%s)', (name, reused) => {
    const main = join(import.meta.dirname, 'main.ts');
    const env = { PATH: process.env['PATH'], XDG_CACHE_HOME: top };
    const { status, stderr } = spawnSync(process.execPath, [main, ...name.split(' '), '--bogus'], {
      env,
      encoding: 'utf8',
    });
    expect(stderr).toContain("Unknown option '--bogus'");
    expect(status).toBe(2);
    expect(existsSync(folder)).toBe(reused);
  });

  test('is made for its user alone, whatever else others may do with new files, and is theirs from then on', async () => {
    // In a process of its own: threads, in which tests may run, cannot change the mask.
    const text = `process.umask(0o002); const { isOwn } = await import('./compiled-code.ts'); process.exit(isOwn(${JSON.stringify(folder)}) ? 0 : 1)`;
    const { status } = spawnSync(process.execPath, ['--input-type=module', '-e', text], { cwd: import.meta.dirname });
    expect(status).toBe(0);
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
    expect(isOwn(folder)).toBe(true);
  });

  test.each([0o755, 0o770, 0o777, 0o1777])('is not used where others may enter it (%o)', async (mode) => {
    await mkdir(folder, { recursive: true });
    await chmod(folder, mode);
    expect(isOwn(folder)).toBe(false);
  });

  test.each([0o775, 0o757])('is not used where others may put one in its place (%o above it)', async (mode) => {
    expect(isOwn(folder)).toBe(true);
    await chmod(top, mode);
    expect(isOwn(folder)).toBe(false);
    // Like /tmp: others may write, and may not move what is not theirs.
    await chmod(top, 0o1777);
    expect(isOwn(folder)).toBe(true);
  });

  test('is judged where a link leads', async () => {
    const elsewhere = join(top, 'elsewhere');
    await mkdir(elsewhere, { mode: 0o700 });
    await symlink(elsewhere, join(top, 'assay'));
    expect(isOwn(folder)).toBe(true);
    await chmod(elsewhere, 0o777);
    expect(isOwn(folder)).toBe(false);
  });

  test('is done without where it cannot be made', async () => {
    await writeFile(join(top, 'assay'), 'a file in the way');
    expect(isOwn(folder)).toBe(false);
  });

  test.runIf(isRoot)('is not used where it or a folder above it is somebody else’s', async () => {
    expect(isOwn(folder)).toBe(true);
    await chown(folder, 65_534, 65_534);
    expect(isOwn(folder)).toBe(false);
    await chown(folder, 0, 0);
    await chown(top, 65_534, 65_534);
    expect(isOwn(folder)).toBe(false);
  });

  test.runIf(isRoot)('is not made in somebody else’s home, which sudo may leave as it was', async () => {
    await chown(top, 65_534, 65_534);
    expect(isOwn(folder)).toBe(false);
    expect(existsSync(join(top, 'assay'))).toBe(false);
  });
});
