/**
 * Completes package-lock.json after an installation: a registry that serves only some platforms leaves the optional
 * packages of the others out, and `npm ci` then refuses the lock everywhere. Their entries need no more than the exact
 * version that their dependent pins and the platform that their name tells.
 */

import { readFileSync, writeFileSync } from 'node:fs';
import { root } from './steps.ts';

interface Entry {
  readonly version?: string;
  readonly optionalDependencies?: Record<string, string>;
  readonly [key: string]: unknown;
}

const systems = ['aix', 'android', 'darwin', 'freebsd', 'linux', 'netbsd', 'openbsd', 'openharmony', 'sunos', 'win32'];
const processors = ['arm64', 'arm', 'x64', 'ia32', 'loong64', 'mips64el', 'ppc64', 'riscv64', 's390x'];

/** The platform fields that a binary package's name tells, or undefined when it names no other platform. */
function platformOf(name: string): Record<string, string[]> | undefined {
  const words = name.replace('windows', 'win32').split(/[-_/]/);
  const os = systems.find((system) => words.includes(system));
  if (os === undefined) return undefined;
  const cpu = processors.find((processor) => words.includes(processor));
  const libc = words.some((word) => word.startsWith('musl')) ? ['musl'] : undefined;
  return { ...(cpu && { cpu: [cpu] }), ...(libc && { libc }), os: [os] };
}

const path = `${root}package-lock.json`;
const lock = JSON.parse(readFileSync(path, 'utf8')) as { packages: Record<string, Entry> };
const missing: string[] = [];
for (const entry of Object.values(lock.packages)) {
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    const key = `node_modules/${name}`;
    const platform = platformOf(name);
    if (lock.packages[key] !== undefined || platform === undefined || !/^\d+\.\d+\.\d+[\w.-]*$/.test(version)) continue;
    const { os, ...others } = platform;
    lock.packages[key] = { version, ...others, optional: true, os };
    missing.push(`${name}@${version}`);
  }
}
const sorted = Object.entries(lock.packages).toSorted(([a], [b]) => a.localeCompare(b, 'en'));
lock.packages = Object.fromEntries(sorted);
if (!process.argv.includes('--check')) writeFileSync(path, `${JSON.stringify(lock, null, 2)}\n`);
console.log(missing.length === 0 ? 'the lock is complete' : `added ${missing.join(', ')}`);
if (process.argv.includes('--check') && missing.length > 0) process.exitCode = 1;
