/** How long starts, ends and whole replicas take, through the port that workers use. */

import { createHash } from 'node:crypto';
import { treeDigest, type SandboxDriver, type SandboxUnit, type Sha256 } from '@assay/core';

const sha256: Sha256 = (bytes) => createHash('sha256').update(bytes).digest();
const never = () => new AbortController().signal;

/** A driver that can hold sandboxes ready. */
export interface PreparingDriver extends SandboxDriver {
  prepare(unit: SandboxUnit): Promise<void>;
}

/** Runs the unit, which must end well; answers its result's digest and what it took until the result was here. */
async function replica(
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

const redundancy = 3;
const lanes = 4;

/** Replicas a second from a full pool, where the replicas of each unit must agree on their digest. */
export async function verifiedRate(driver: PreparingDriver, unit: SandboxUnit, pool: number): Promise<number> {
  await driver.prepare(unit);
  await pause(restMs);
  const digests = new Map<number, string[]>();
  let next = 0;
  const before = performance.now();
  const lane = async () => {
    while (next < pool) {
      const number = Math.floor(next / redundancy);
      next += 1;
      const { digest } = await replica(driver, unit);
      digests.set(number, [...(digests.get(number) ?? []), digest]);
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  const seconds = (performance.now() - before) / 1000;
  const agreed = [...digests.values()].filter((one) => one.length === redundancy && new Set(one).size === 1);
  if (agreed.length !== Math.floor(pool / redundancy)) throw new Error('replicas of one unit differ');
  return (agreed.length * redundancy) / seconds;
}

/** Until what was started or removed before has settled. */
const restMs = 400;

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
