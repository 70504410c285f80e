/** An image of the allowlist, and the check that it brings nothing along but files. */

import { DaemonError, type Daemon } from './daemon.ts';
import type { Program } from './order.ts';

export interface RunnerImage {
  /** `platform-runner:python`. */
  readonly runner: string;
  /** The image's id: `sha256:` and the hash of its configuration, which names the hashes of its layers. */
  readonly image: string;
  /** What it can run. */
  readonly programs: readonly Program[];
}

interface Inspected {
  readonly Id?: string;
  readonly Os?: string;
  readonly Architecture?: string;
  readonly Config?: {
    readonly Volumes?: object | null;
    readonly OnBuild?: readonly unknown[] | null;
    readonly Healthcheck?: object | null;
    readonly WorkingDir?: string;
    readonly Entrypoint?: readonly string[] | null;
    readonly Env?: readonly string[] | null;
  };
}

const collector = '/platform/shim';
/** What Docker calls the architectures of Node. */
export const architectures: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' };

/** Why an image may not be used; undefined where it may. */
export async function imageFault(daemon: Daemon, { image }: RunnerImage): Promise<string | undefined> {
  if (!/^sha256:[0-9a-f]{64}$/.test(image)) return 'the allowlist names images by their ids only';
  try {
    return configFault((await daemon.call('GET', `/images/${image}/json`)) as Inspected, image);
  } catch (error) {
    if (error instanceof DaemonError && error.status === 404) return 'the image is not on this machine';
    throw error;
  }
}

/** What an image's configuration would add to a container that nobody asked for. */
export function configFault(found: Inspected, image: string): string | undefined {
  const { Config: config = {} } = found;
  const faults: [boolean, string][] = [
    [found.Id !== image, 'the daemon answers with another image'],
    [found.Os !== 'linux', 'the image is not for Linux'],
    [found.Architecture !== architectures[process.arch], 'the image is for another processor'],
    [Object.keys(config.Volumes ?? {}).length > 0, 'the image declares a volume'],
    [(config.OnBuild ?? []).length > 0, 'the image has build triggers'],
    [config.Healthcheck !== undefined && config.Healthcheck !== null, 'the image has a health check'],
    [!['', '/', undefined].includes(config.WorkingDir), 'the image sets a working folder'],
    [![undefined, collector].includes(config.Entrypoint?.join(' ')), 'the image sets an entry point'],
    [(config.Env ?? []).some((pair) => !pair.startsWith('PATH=')), 'the image sets an environment'],
  ];
  return faults.find(([is]) => is)?.[1];
}
