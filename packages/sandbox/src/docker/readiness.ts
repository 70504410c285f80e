/** Whether this host can hold every measure: what the daemon says of itself, and what a small container finds. */

import type { RuntimeName } from './container-body.ts';
import type { Daemon } from './daemon.ts';

interface Info {
  readonly OSType?: string;
  readonly Architecture?: string;
  readonly CgroupDriver?: string;
  readonly CgroupVersion?: string;
  readonly MemoryLimit?: boolean;
  readonly SwapLimit?: boolean;
  readonly PidsLimit?: boolean;
  readonly CpuCfsQuota?: boolean;
  readonly SecurityOptions?: readonly string[];
  readonly Runtimes?: Readonly<Record<string, unknown>>;
}

interface Version {
  readonly Version?: string;
  readonly ApiVersion?: string;
  readonly Components?: readonly { readonly Name?: string; readonly Version?: string }[];
}

export interface DaemonReport {
  /** Why it cannot be used. */
  readonly faults: readonly string[];
  /** What its owner should mend. */
  readonly warnings: readonly string[];
  readonly version: string;
  readonly cgroupDriver: string;
  /** Whether its kernel counts what lies in sockets as memory of their container: version 2 of control groups. */
  readonly countsSockets: boolean;
}

/** What the daemon says of itself, held against what the measures need. */
export async function daemonReport(daemon: Daemon, runtime: RuntimeName): Promise<DaemonReport> {
  const info = (await daemon.call('GET', '/info')) as Info;
  const version = (await daemon.call('GET', '/version')) as Version;
  return judge(info, version, runtime);
}

/** The pure part of it. */
export function judge(info: Info, version: Version, runtime: RuntimeName): DaemonReport {
  const options = info.SecurityOptions ?? [];
  const has = (name: string) => options.some((option) => option.split(',')[0] === `name=${name}`);
  const needs: [boolean, string][] = [
    [info.OSType === 'linux', 'the daemon runs no Linux containers'],
    [
      has('userns') || has('rootless'),
      'containers have the host’s users: set userns-remap, or run the daemon rootless',
    ],
    [has('seccomp'), 'the daemon cannot filter system calls'],
    [info.MemoryLimit === true, 'memory cannot be limited'],
    [info.SwapLimit === true, 'swap cannot be limited'],
    [info.PidsLimit === true, 'the number of processes cannot be limited'],
    [info.CpuCfsQuota === true, 'processor time cannot be limited'],
    [
      info.Runtimes?.[runtime] !== undefined,
      runtime === 'runsc'
        ? 'gVisor (the runtime runsc) is not installed, and runc is for trusted jobs only'
        : 'the runtime runc is not there',
    ],
  ];
  const runc = version.Components?.find(({ Name: name }) => name === 'runc')?.Version ?? '';
  return {
    faults: needs.filter(([holds]) => !holds).map(([, fault]) => fault),
    warnings: runtime === 'runc' ? runcWarnings(runc) : [],
    version: version.Version ?? 'unknown',
    cgroupDriver: info.CgroupDriver ?? '',
    countsSockets: info.CgroupVersion === '2',
  };
}

/**
 * The escapes of November 2025 (CVE-2025-31133, -52565, -52881) are closed in 1.2.8, 1.3.3 and 1.4.0; that of January
 * 2024 (CVE-2024-21626) in 1.1.12, and in Debian's 1.1.5 of that name.
 */
function runcWarnings(version: string): string[] {
  const [, major = 0, minor = 0, patch = 0] = (/(\d+)\.(\d+)\.(\d+)/.exec(version) ?? []).map(Number);
  const least = minor === 2 ? 8 : 3;
  const mended = major > 1 || minor > 3 || (minor >= 2 && patch >= least);
  if (version === '' || mended) return [];
  return [`runc ${version} may lack the fixes for CVE-2025-31133, -52565 and -52881: install 1.2.8, 1.3.3 or newer`];
}
