/** What this machine offers to the market, with a small measure for the scheduler; nothing is paid by it. */

import { createHash } from 'node:crypto';
import { arch, availableParallelism, platform, totalmem } from 'node:os';
import type { Machine } from '@assay/client';
import { limits, machineClassOf, type DriverReport } from '@assay/core';
import type { WorkerSettings } from './owner/settings.ts';

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

/** The cores that the owner leaves to one of the units that run at once. */
export function coresOfUnit({ cpu_share: share, capacity }: WorkerSettings, cores = availableParallelism()): number {
  return (cores * share) / capacity;
}

/**
 * The memory in GiB that one of the units may have, where so much is left for it. A container's files count as its memory; a
 * process of WebAssembly holds beside it the interpreter, scratch space of half as much and the inputs, both up to a bound.
 */
export function memoryOfUnit(leftGb: number, driver: 'docker' | 'wasm'): number {
  if (driver === 'docker') return leftGb;
  const [scratch, inputs, own] = [
    limits.sandboxScratchBytes,
    limits.bundleUnpackedBytes,
    limits.sandboxRuntimeBytesR,
  ].map((bytes) => bytes / 1024 ** 3) as [number, number, number];
  const forUnit = leftGb - own;
  // Each piece of m + min(scratch, m / 2) + min(inputs, m), which is concave, so that the largest solution is the one.
  return Math.max(forUnit / 2.5, (forUnit - inputs) / 1.5, (forUnit - scratch) / 2, forUnit - scratch - inputs);
}

export interface Offering {
  readonly settings: WorkerSettings;
  readonly score: number;
  /** What people call the graphics processor. */
  readonly gpu: string | null;
}

/** Whether results of the machine's sandboxes are of that class. */
export function isOfClass(machine: Machine, machineClass: string): boolean {
  return machine.runners.some((runner) => machineClassOf(runner, machine.arch) === machineClass);
}

/** What this machine offers with that driver; cores and memory are those that one unit may have. */
export function describeMachine(report: DriverReport, { settings, score, gpu }: Offering): Machine {
  const driver = report.driver === 'docker' ? 'docker' : 'wasm';
  const leftGb = ((totalmem() / 1024 ** 3) * settings.memory_share) / settings.capacity;
  const memoryGb = memoryOfUnit(leftGb, driver);
  const runners = report.runners.filter(({ runner }) => settings.runners?.includes(runner) ?? true);
  return {
    arch: arch(),
    os: platform(),
    // A unit asks for a whole core at least as a rule; a driver that can holds it to the share.
    cpuCores: Math.max(1, Math.floor(coresOfUnit(settings))),
    memoryGb: Math.max(0.1, Math.floor(memoryGb * 10) / 10),
    maxHours: settings.max_hours,
    slots: settings.capacity,
    runners: runners.map(({ egress, ...one }) => ({
      driver,
      ...one,
      ...(egress && settings.egress && { egress }),
    })),
    score,
    ...(gpu !== null && { gpu }),
  };
}
