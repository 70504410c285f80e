/** The system calls that a unit may make: `seccomp.json`, pinned by its hash. */

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Fault } from '@assay/core';

/** Changes only together with a review of the list; the audit log names it. */
export const seccompSha256 = '9ba2c892e68572eb8937f761cbbf08bb8a6625111cd8e1c8ed983867eff524fe';

let profile: string | undefined;

/** The profile in the one line that the daemon is sent. */
export function seccompProfile(): string {
  if (profile !== undefined) return profile;
  const text = readFileSync(new URL('seccomp.json', import.meta.url), 'utf8');
  if (createHash('sha256').update(text).digest('hex') !== seccompSha256) {
    throw new Fault('sandbox.unavailable', 'the seccomp profile is not the reviewed one', { retry: false });
  }
  profile = JSON.stringify(JSON.parse(text));
  return profile;
}
