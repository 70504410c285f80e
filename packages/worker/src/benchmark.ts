/** A small measure of this machine, for the scheduler; nothing is paid by it. */

import { createHash } from 'node:crypto';
import { arch, availableParallelism, platform, totalmem } from 'node:os';
import type { Machine } from '@assay/client';
import { limits, type DriverReport } from '@assay/core';

/** Rounds a millisecond on the reference machine (2 cores of a cloud VM of 2026). */
const referenceRoundsPerMs = 700;

/** The speed of one core, 1 = the reference machine; takes `durationMs`. */
export function cpuScore(durationMs: number = limits.benchmarkMs): number {
  const started = performance.now();
  let block = Buffer.alloc(32);
  let rounds = 0;
  while (performance.now() - started < durationMs) {
    for (let i = 0; i < 100; i += 1) block = createHash('sha256').update(block).digest();
    rounds += 100;
  }
  return Math.round((rounds / (performance.now() - started) / referenceRoundsPerMs) * 100) / 100;
}

/** What this machine offers with that driver. */
export function describeMachine(report: DriverReport, slots: number, score: number): Machine {
  const driver = report.driver === 'docker' ? 'docker' : 'wasm';
  return {
    arch: arch(),
    os: platform(),
    cpuCores: availableParallelism(),
    memoryGb: Math.max(0.1, Math.floor((totalmem() / 1024 ** 3) * 10) / 10),
    slots,
    runners: report.runners.map((one) => ({ driver, ...one })),
    score,
  };
}
