/** What a service manager must know to keep a worker running. */

import type { WorkerSettings } from '../owner/settings.ts';

export interface ServiceSpec {
  /** What people call the device. */
  readonly name: string;
  /** The pinned Node, and the program that it runs. */
  readonly node: string;
  readonly program: string;
  /** The folder of this program, which the worker reads. */
  readonly checkout: string;
  /** ASSAY_STATE_DIR. */
  readonly stateDir: string;
  /** The worker's own folder below it, the only one that it writes. */
  readonly folder: string;
  /** The user whom a service of the whole machine runs as; undefined for a service of the one who installs it. */
  readonly user?: string;
  /** Whether the worker speaks to a Docker Engine. */
  readonly docker: boolean;
  readonly settings: Pick<WorkerSettings, 'cpu_share' | 'memory_share'>;
  readonly cores: number;
  readonly memoryBytes: number;
}

/** A program with its arguments. */
export type Command = readonly string[];

/** A file to lay down and the commands that make the manager take it up, or drop it. */
export interface ServicePlan {
  /** What the manager calls the service. */
  readonly id: string;
  readonly path: string;
  readonly content: string;
  /** Encoded as the manager reads it. */
  readonly encoding: 'utf8' | 'utf16le';
  /** Ends what runs and makes the manager forget it; may fail where there is nothing. */
  readonly stop: readonly Command[];
  /** After the file was laid down or taken away. */
  readonly reload: readonly Command[];
  /** Starts what is laid down, now and after each start of the machine. */
  readonly ensure: readonly Command[];
}

/** The name as part of a service's id: what every manager takes. */
export function serviceId(name: string): string {
  return `assay-worker-${name
    .toLowerCase()
    .replaceAll(/[^a-z0-9-]+/g, '-')
    .replaceAll(/^-+|-+$/g, '')}`;
}

/** The command line of the worker. */
export function commandOf({ node, program, name }: ServiceSpec): readonly string[] {
  return [node, program, 'worker', '--name', name];
}
