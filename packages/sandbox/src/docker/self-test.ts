/** What a small container must find where a unit would run; `images/shim/self-test` looks, this judges. */

import type { RuntimeName } from './container-body.ts';

export const selfTestCommand: readonly string[] = ['/platform/self-test'];

const noPermission = '1';
const accessDenied = '13';
const noCapabilities = '0000000000000000';

/** The one right answer to each question, whatever the runtime. */
const answers: Readonly<Record<string, string>> = {
  bpf: noPermission,
  io_uring_setup: noPermission,
  keyctl: noPermission,
  perf_event_open: noPermission,
  ptrace: noPermission,
  setns: noPermission,
  unshare: noPermission,
  'family-16': noPermission,
  'family-17': noPermission,
  'family-38': noPermission,
  'family-40': noPermission,
  'exec-from-tmp': accessDenied,
  Uid: '65534',
  CapPrm: noCapabilities,
  CapEff: noCapabilities,
  CapBnd: noCapabilities,
  NoNewPrivs: '1',
  Seccomp: '2',
  interfaces: 'lo',
};

/** Which walls are not up, by the lines that the self-test wrote. */
export function openWalls(runtime: RuntimeName, text: string): string[] {
  const lines = text.split('\n').filter((line) => line !== '');
  const found = new Map<string, string>();
  const faults: string[] = [];
  for (const line of lines) {
    const [, name = '', value = ''] = /^(\S+) (.*)$/.exec(line) ?? [];
    if (name === 'writable' || name === 'present') faults.push(`${name}: ${value}`);
    else found.set(name, value);
  }
  for (const [name, answer] of Object.entries(answers)) {
    const value = found.get(name);
    if (value !== answer) faults.push(`${name}: ${value ?? 'no answer'}`);
  }
  // gVisor has users of its own, and shows that it is there by its kernel's name.
  if (runtime === 'runsc') {
    if (!/gvisor/i.test(found.get('kernel') ?? '')) faults.push('the runtime runsc is not gVisor');
  } else if (`${found.get('uid_map') ?? '0 0'} `.startsWith('0 0 ')) faults.push('the container has the host’s users');
  return faults;
}
