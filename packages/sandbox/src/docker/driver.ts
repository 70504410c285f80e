/**
 * The sandbox driver over the Docker Engine API: a container per unit, with every measure on every start, on runc or
 * on gVisor by the owner's policy. What runs inside speaks through the collector and is believed nothing.
 */

import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import {
  Fault,
  limits,
  type DriverReport,
  type SandboxDriver,
  type SandboxOutcome,
  type SandboxUnit,
} from '@assay/core';
import { abandoned, openRunFolder } from '../wasm/run-folder.ts';
import { admit } from './admission.ts';
import { bounds } from './bounds.ts';
import { cellKeeper, type CellKeeper } from './cell-keeper.ts';
import type { CellClass, CreateBody, RuntimeName } from './container-body.ts';
import { daemonAt, type Daemon } from './daemon.ts';
import { egressTo, noEgress, type EgressDeps } from './egress.ts';
import { aheadOf, orderOf } from './order.ts';
import { daemonReport } from './readiness.ts';
import { imageFault, type RunnerImage } from './runner-image.ts';
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

interface Ready {
  readonly keeper: CellKeeper;
  readonly detail: string;
  readonly images: readonly RunnerImage[];
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
    if (!images.includes(image)) throw unavailable(`the image of ${image.runner} cannot be used on this machine`);
    return { keeper, program, wanted: classOf(unit, image, runtime), ahead: aheadOf(program) };
  };
  return {
    name: 'docker',
    probe: () => probe(deps, ready),
    async run(unit, log, stop) {
      const askedAt = performance.now();
      const { keeper, program, wanted, ahead } = await place(unit);
      const outcome = runIn(deps.workDir, { unit, log, stop, askedAt }, async (run) => {
        const cell = await keeper.take(wanted, ahead);
        try {
          const targets = unit.network ?? [];
          const egress = targets.length > 0 ? egressTo(targets, cell.send, deps.egress) : noEgress();
          return await runInCell({ ...run, cell, order: orderOf(program, unit, cell.ahead), egress });
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

type Run = Pick<Parameters<typeof runInCell>[0], 'unit' | 'log' | 'stop' | 'askedAt' | 'outputRoot'>;

async function runIn(
  workDir: string,
  run: Omit<Run, 'outputRoot'>,
  inCell: (run: Run) => ReturnType<typeof runInCell>,
): Promise<SandboxOutcome> {
  const folder = await openRunFolder(workDir, run.unit.label);
  const outputRoot = join(folder.path, 'outputs');
  await mkdir(outputRoot, { mode: 0o700 });
  const release = () => rm(folder.path, { recursive: true, force: true });
  try {
    const report = await inCell({ ...run, outputRoot });
    if (report.ending.kind !== 'exit') await rm(outputRoot, { recursive: true, force: true });
    return { ...report, outputRoot, release };
  } catch (error) {
    await release();
    throw error;
  }
}

const pageBytes = 4096;
const mebibyte = 1024 * 1024;

/** What a unit needs of a container. Inputs are rounded up, so that units of one job fall into one class. */
function classOf({ limits: bound, inputs }: SandboxUnit, image: RunnerImage, runtime: RuntimeName): CellClass {
  const files = inputs.reduce((sum, input) => sum + Math.ceil(input.sizeBytes / pageBytes) * pageBytes, 0);
  const inputBytes = mebibyte * 2 ** Math.ceil(Math.log2(Math.max(1, files / mebibyte)));
  const inputFiles = 2 ** Math.ceil(Math.log2(Math.max(64, inputs.length * 8)));
  return {
    runtime,
    image: image.image,
    memoryBytes: bound.memoryBytes,
    cpuCores: bound.cpuCores ?? 1,
    tmpfsBytes: inputBytes + Math.max(bound.scratchBytes, bounds.scratchMinBytes),
    tmpfsFiles: inputFiles + limits.sandboxScratchFiles,
    fileBytes: Math.max(bound.scratchBytes, inputBytes),
    ahead: [],
  };
}

function unavailable(message: string): Fault {
  return new Fault('sandbox.unavailable', message, { retry: true });
}

async function makeReady(deps: DockerDriverDeps, daemon: Daemon, runtime: RuntimeName): Promise<Ready> {
  const report = await daemonReport(daemon, runtime);
  if (report.faults.length > 0) throw unavailable(`this host cannot hold every measure: ${report.faults.join('; ')}`);
  const note = deps.note ?? (() => {});
  const images: RunnerImage[] = [];
  for (const image of deps.images) {
    const fault = await imageFault(daemon, image);
    if (fault === undefined) images.push(image);
    else report.warnings.push(`${image.runner}: ${fault}`);
  }
  for (const warning of report.warnings) note(warning);
  const ownCgroups = report.cgroupDriver === 'cgroupfs' && process.getuid?.() === 0;
  const keeper = cellKeeper({
    daemon,
    cgroupBase: ownCgroups ? (deps.cgroupParent ?? 'assay') : undefined,
    warm: deps.warm ?? { cells: 0, memoryBytes: 0 },
    note,
    ...(deps.weaken && { weaken: deps.weaken }),
  });
  const detail = [`Docker ${report.version}, ${runtime === 'runsc' ? 'gVisor' : 'runc'}`, ...report.warnings].join(
    '; ',
  );
  return { keeper, images, detail };
}

async function probe(deps: DockerDriverDeps, ready: () => Promise<Ready>): Promise<DriverReport> {
  try {
    const { detail, images } = await ready();
    const egress = deps.isolation === 'confidential' ? {} : { egress: true as const };
    const runners = images.map(({ runner, image }) => ({ runner, digest: image.slice('sha256:'.length), ...egress }));
    if (runners.length === 0)
      return { driver: 'docker', usable: false, detail: `no image can be used: ${detail}`, runners };
    return { driver: 'docker', usable: true, detail, runners };
  } catch (error) {
    return { driver: 'docker', usable: false, detail: (error as Error).message, runners: [] };
  }
}
