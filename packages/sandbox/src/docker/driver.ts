/**
 * The sandbox driver over the Docker Engine API: a container per unit, with every measure on every start, on runc or
 * on gVisor by the owner's policy. What runs inside speaks through the collector and is believed nothing.
 */

import { Fault, type DriverReport, type SandboxDriver, type SandboxUnit } from '@assay/core';
import { abandoned } from '../wasm/run-folder.ts';
import { admit } from './admission.ts';
import { runIn } from './captured-run.ts';
import { classOf } from './cell-class.ts';
import type { CreateBody, RuntimeName } from './container-body.ts';
import { daemonAt, type Daemon } from './daemon.ts';
import { egressTo, noEgress, type EgressDeps } from './egress.ts';
import { makeReady, type Ready } from './make-ready.ts';
import { aheadOf, orderOf } from './order.ts';
import type { RunnerImage } from './runner-image.ts';
import { runInCell } from './run-unit.ts';

/** How much an owner trusts the jobs: his own to runc, strangers' to gVisor, and some to gVisor without any egress. */
export type Isolation = 'trusted' | 'default' | 'confidential';

export interface DockerDriverDeps {
  readonly socketPath: string;
  /** Where runs keep their files; one folder may serve several drivers. */
  readonly workDir: string;
  /** The allowlist. Nothing else is ever started, and nothing is pulled. */
  readonly images: readonly RunnerImage[];
  readonly isolation: Isolation;
  /** The cgroup that containers are put below, where this process may remove cgroups. */
  readonly cgroupParent?: string;
  /** Started containers that wait for a unit: how many of each class, and how much memory all of them may come to. */
  readonly warm?: { readonly cells: number; readonly memoryBytes: number };
  /** Told about repairs and weak spots of the host, in one sentence each. */
  readonly note?: (text: string) => void;
  /** For tests: another resolver and dialler than the machine's. */
  readonly egress?: Partial<EgressDeps>;
  /** For tests of the tests: takes measures away. */
  readonly weaken?: (body: CreateBody) => CreateBody;
}

/** The driver, and what only this one can do. */
export interface DockerDriver extends SandboxDriver {
  /** Fills the pool for units with the runner, program, limits and inputs of this one; resolves when it is full. */
  prepare(unit: SandboxUnit): Promise<void>;
}

/** The driver; the daemon is not asked anything before the first `probe` or `run`. */
export function dockerDriver(deps: DockerDriverDeps): DockerDriver {
  const daemon = daemonAt(deps.socketPath);
  const runtime: RuntimeName = deps.isolation === 'trusted' ? 'runc' : 'runsc';
  let preparing: Promise<Ready> | undefined;
  const running = new Set<Promise<unknown>>();
  const ready = () => {
    preparing ??= makeReady(deps, daemon, runtime).catch((error: unknown) => {
      preparing = undefined;
      throw error;
    });
    return preparing;
  };
  const place = async (unit: SandboxUnit) => {
    const { image, program } = admit(unit, deps.images, deps.isolation !== 'confidential');
    const { keeper, images } = await ready();
    if (!images.includes(image))
      throw new Fault('sandbox.unavailable', `the image of ${image.runner} cannot be used here`, { retry: true });
    return { keeper, program, wanted: classOf(unit, image, runtime), ahead: aheadOf(program) };
  };
  return {
    name: 'docker',
    probe: () => probe(deps, daemon, ready),
    async run(unit, log, stop) {
      const askedAt = performance.now();
      const { keeper, program, wanted, ahead } = await place(unit);
      const outcome = runIn(deps.workDir, { unit, log, stop, askedAt }, async (run) => {
        const cell = await keeper.take(wanted, ahead);
        try {
          const targets = unit.network ?? [];
          const egress = targets.length > 0 ? egressTo(targets, cell.send, deps.egress) : noEgress();
          return await runInCell({ ...run, cell, order: orderOf(program, unit), egress });
        } finally {
          keeper.done(cell);
        }
      });
      const ended = outcome.catch(() => undefined).finally(() => running.delete(ended));
      running.add(ended);
      return outcome;
    },
    async prepare(unit) {
      const { keeper, wanted, ahead } = await place(unit);
      await keeper.fill(wanted, ahead);
    },
    async sweep() {
      return (await (await ready()).keeper.sweep()) + (await abandoned(deps.workDir));
    },
    async close() {
      await Promise.all(running);
      await (await preparing?.catch(() => undefined))?.keeper.close();
      preparing = undefined;
      daemon.close();
    },
  };
}

async function probe(deps: DockerDriverDeps, daemon: Daemon, ready: () => Promise<Ready>): Promise<DriverReport> {
  try {
    const { detail, images } = await ready();
    // The host was found able once; whether its daemon still answers is another question.
    await daemon.call('GET', '/_ping');
    const egress = deps.isolation === 'confidential' ? {} : { egress: true as const };
    const runners = images.map(({ runner, image }) => ({ runner, digest: image.slice('sha256:'.length), ...egress }));
    if (runners.length === 0)
      return { driver: 'docker', usable: false, detail: `no image can be used: ${detail}`, runners };
    return { driver: 'docker', usable: true, detail, runners };
  } catch (error) {
    return { driver: 'docker', usable: false, detail: (error as Error).message, runners: [] };
  }
}
