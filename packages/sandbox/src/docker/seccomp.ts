/** The system calls that a unit may make: `seccomp.json`, pinned by its hash. */

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Fault } from '@assay/core';

/** Changes only together with a review of the list; the audit log names it. */
export const seccompSha256 = '4ca4c76997cc2e7a313587bfc94c2fad4f70899c3461a66df91984c466cffc0d';

interface Profile {
  readonly syscalls: readonly {
    readonly names: readonly string[];
    readonly args?: readonly { readonly value: number }[];
  }[];
}

/** AF_INET and AF_INET6. */
const internet = new Set([2, 10]);
const profiles = new Map<boolean, string>();

/**
 * The profile in the one line that the daemon is sent. `connects`: whether the unit may connect to hosts that its manifest
 * lists; without that it makes no sockets but local ones, because much of what lies in others is memory that nobody counts.
 */
export function seccompProfile(connects: boolean): string {
  const known = profiles.get(connects);
  if (known !== undefined) return known;
  const text = readFileSync(new URL('seccomp.json', import.meta.url), 'utf8');
  if (createHash('sha256').update(text).digest('hex') !== seccompSha256) {
    throw new Fault('sandbox.unavailable', 'the seccomp profile is not the reviewed one', { retry: false });
  }
  const whole = JSON.parse(text) as Profile;
  const isLocal = ({ names, args }: Profile['syscalls'][number]) =>
    !(names.includes('socket') && internet.has(args?.[0]?.value ?? 0));
  const profile = JSON.stringify(connects ? whole : { ...whole, syscalls: whole.syscalls.filter(isLocal) });
  profiles.set(connects, profile);
  return profile;
}
