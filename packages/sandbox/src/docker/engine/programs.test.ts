import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { programSettings } from './config.ts';
import { findProgram, findRunsc, gvisorVersion, lacking } from './programs.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'assay-programs-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function put(path: string, mode: number): void {
  mkdirSync(join(folder, path, '..'), { recursive: true });
  writeFileSync(join(folder, path), '');
  chmodSync(join(folder, path), mode);
}

test('a program is an executable file on the path or in sbin', () => {
  const settings = { ...programSettings({}), path: [join(folder, 'a'), join(folder, 'b')] };
  expect(findProgram('dockerd', settings)).toBeUndefined();
  put('a/dockerd', 0o644);
  mkdirSync(join(folder, 'b', 'runc'), { recursive: true });
  put('b/dockerd', 0o755);
  expect(findProgram('dockerd', settings)).toBe(join(folder, 'b', 'dockerd'));
  expect(findProgram('runc', settings)).toBeUndefined();
  expect(programSettings({ PATH: '/one:relative:/one' }).path).toEqual([
    '/one',
    '/usr/local/sbin',
    '/usr/sbin',
    '/sbin',
  ]);
});

test.runIf(process.platform === 'linux')('what is missing is said by name', () => {
  const settings = { ...programSettings({ ASSAY_TOOLS_DIR: folder }), path: [folder] };
  put('containerd', 0o755);
  expect(lacking('docker', settings)).toBe('no dockerd, no runc (Debian: docker.io)');
  expect(lacking('mmdebstrap', settings)).toContain('no mmdebstrap');
  expect(lacking('runsc', settings)).toContain('no runsc');
  put(`gvisor-${gvisorVersion}/bin/runsc`, 0o755);
  expect(findRunsc(settings)).toBe(join(folder, `gvisor-${gvisorVersion}`, 'bin', 'runsc'));
  expect(lacking('runsc', settings)).toBeUndefined();
});

test('the version looked for is the one that is built', () => {
  const conf = readFileSync(new URL('../../../../../deploy/tools/gvisor/build.conf', import.meta.url), 'utf8');
  expect(conf).toContain(`version=${gvisorVersion}\n`);
});
