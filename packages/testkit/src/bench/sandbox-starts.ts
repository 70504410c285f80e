/** How long starts, ends and whole replicas take, through the port that workers use, audit log included. */

import { createHash, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { treeDigest, type SandboxDriver, type SandboxUnit, type Sha256 } from '@assay/core';

import { audited, auditLog } from '@assay/sandbox';
import { systemClock } from '@assay/server';

const sha256: Sha256 = (bytes) => createHash('sha256').update(bytes).digest();
const never = () => new AbortController().signal;

/** A driver that can hold sandboxes ready. */
export interface PreparingDriver extends SandboxDriver {
  prepare(unit: SandboxUnit): Promise<void>;
}

/** Lends the driver, with an audit log as workers keep one, and closes it. */
export async function withAudit<T>(
  folder: string,
  driver: PreparingDriver,
  use: (driver: PreparingDriver) => Promise<T>,
): Promise<T> {
  const log = auditLog(join(folder, `audit-${randomUUID()}`), systemClock);
  const watched = { ...audited(driver, log), prepare: (unit: SandboxUnit) => driver.prepare(unit) };
  try {
    return await use(watched);
  } finally {
    await watched.close();
  }
}

/** Runs the unit, which must end well; answers its result's digest and what it took until the result was here. */
export async function replica(
  driver: SandboxDriver,
  unit: SandboxUnit,
): Promise<{ readonly digest: string; readonly ms: number }> {
  const before = performance.now();
  const outcome = await driver.run(unit, () => {}, never());
  const ms = performance.now() - before;
  const { ending, outputs } = outcome;
  const digest = treeDigest(sha256, outputs);
  await outcome.release();
  if (ending.kind !== 'exit' || ending.code !== 0) throw new Error(`a unit ended with ${JSON.stringify(ending)}`);
  return { digest, ms };
}

/** Runs one after the other, with nothing ready. */
export async function coldStarts(driver: SandboxDriver, unit: SandboxUnit, runs: number): Promise<number[]> {
  await replica(driver, unit);
  const samples: number[] = [];
  for (let run = 0; run < runs; run += 1) samples.push((await replica(driver, unit)).ms);
  return samples;
}

/** Runs one after the other, each after the pool is full and the machine has rested. */
export async function warmStarts(driver: PreparingDriver, unit: SandboxUnit, runs: number): Promise<number[]> {
  await driver.prepare(unit);
  await replica(driver, unit);
  const samples: number[] = [];
  for (let run = 0; run < runs; run += 1) {
    await driver.prepare(unit);
    await pause(restMs);
    samples.push((await replica(driver, unit)).ms);
  }
  return samples;
}

/** From the order to stop a unit that never ends until every process of it is gone. */
export async function kills(driver: SandboxDriver, unit: SandboxUnit, runs: number): Promise<number[]> {
  const samples: number[] = [];
  for (let run = 0; run < runs; run += 1) {
    const stop = new AbortController();
    let stoppedAt = 0;
    const outcome = await driver.run(
      unit,
      () => {
        stoppedAt ||= performance.now();
        stop.abort();
      },
      stop.signal,
    );
    samples.push(performance.now() - stoppedAt);
    await outcome.release();
  }
  return samples;
}

/** Until what was started or removed before has settled. */
export const restMs = 400;

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
