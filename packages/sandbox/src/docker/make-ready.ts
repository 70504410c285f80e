/** Everything that must hold before this host runs a unit in a container. */

import { Fault, type LogSink, type SandboxLimits, type SandboxUnit } from '@assay/core';
import { runIn } from './captured-run.ts';
import { classOf } from './cell-class.ts';
import { cellKeeper, type CellKeeper } from './cell-keeper.ts';
import type { RuntimeName } from './container-body.ts';
import type { Daemon } from './daemon.ts';
import type { DockerDriverDeps } from './driver.ts';
import { noEgress } from './egress.ts';
import { plainOrder } from './order.ts';
import { daemonReport } from './readiness.ts';
import { imageFault, type RunnerImage } from './runner-image.ts';
import { runInCell } from './run-unit.ts';
import { openWalls, selfTestCommand } from './self-test.ts';

export interface Ready {
  readonly keeper: CellKeeper;
  readonly detail: string;
  readonly images: readonly RunnerImage[];
}

const mebibyte = 1024 * 1024;

const selfTestLimits: SandboxLimits = {
  wallMs: 20_000,
  memoryBytes: 64 * mebibyte,
  scratchBytes: mebibyte,
  outputFiles: 0,
  outputBytes: 0,
  logBytes: 16 * 1024,
};

/** Asks the daemon, checks the images and tries the walls; faults `sandbox.unavailable` where a measure cannot be held. */
export async function makeReady(deps: DockerDriverDeps, daemon: Daemon, runtime: RuntimeName): Promise<Ready> {
  const report = await daemonReport(daemon, runtime);
  if (report.faults.length > 0) throw unavailable(`this host cannot hold every measure: ${report.faults.join('; ')}`);
  const note = deps.note ?? (() => {});
  const images: RunnerImage[] = [];
  const warnings = [...report.warnings];
  for (const image of deps.images) {
    const fault = await imageFault(daemon, image);
    if (fault === undefined) images.push(image);
    else warnings.push(`${image.runner}: ${fault}`);
  }
  for (const warning of warnings) note(warning);
  const ownCgroups = report.cgroupDriver === 'cgroupfs' && process.getuid?.() === 0;
  const keeper = cellKeeper({
    daemon,
    workDir: deps.workDir,
    countsSockets: report.countsSockets,
    cgroupBase: ownCgroups ? (deps.cgroupParent ?? 'assay') : undefined,
    warm: deps.warm ?? { cells: 0, memoryBytes: 0 },
    note,
    ...(deps.weaken && { weaken: deps.weaken }),
  });
  const [first] = images;
  // A driver that was weakened for a test must run, or the test could not show what that lets through.
  if (first && !deps.weaken) {
    const faults = await testWalls(deps.workDir, keeper, first, runtime);
    if (faults.length > 0) throw unavailable(`this host does not hold every measure: ${faults.join('; ')}`);
  }
  const detail = [`Docker ${report.version}, ${runtime === 'runsc' ? 'gVisor' : 'runc'}`, ...warnings].join('; ');
  return { keeper, images, detail };
}

/** Which measures a small container finds missing. */
export async function testWalls(
  workDir: string,
  keeper: CellKeeper,
  image: RunnerImage,
  runtime: RuntimeName,
): Promise<string[]> {
  const unit: SandboxUnit = {
    label: 'self-test',
    runner: image.runner,
    entryPoint: '',
    args: [],
    inputs: [],
    outputDir: 'results',
    environment: {},
    limits: selfTestLimits,
  };
  let text = '';
  const log: LogSink = (_stream, piece) => {
    text += piece;
  };
  const stop = new AbortController().signal;
  const outcome = await runIn(workDir, { unit, log, stop, askedAt: performance.now() }, async (run) => {
    const cell = await keeper.take(classOf(unit, image, runtime));
    try {
      return await runInCell({ ...run, cell, order: plainOrder(selfTestCommand, unit), egress: noEgress() });
    } finally {
      keeper.done(cell);
    }
  });
  await outcome.release();
  const { ending } = outcome;
  if (ending.kind === 'exit' && ending.code === 0) return openWalls(runtime, text);
  return [`the self-test did not end well (${JSON.stringify(ending)}): ${text.slice(-300)}`];
}

function unavailable(message: string): Fault {
  return new Fault('sandbox.unavailable', message, { retry: true });
}
