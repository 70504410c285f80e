/**
 * Whether the sandbox still is what the market was told. After a run that failed by the sandbox's own fault nothing is
 * claimed until a probe succeeds; where that finds other runners than before, the market is told first.
 */

import { limits, type Clock, type DriverReport, type SandboxDriver } from '@assay/core';

export interface SandboxHealth {
  /** Why no sandbox runs units now; null while all is well. */
  fault(): string | null;
  /** A run failed, and not by its unit. */
  doubt(why: string): void;
  /** Probes where there is doubt and the pause since the last probe is over. */
  look(): Promise<void>;
}

export interface SandboxHealthDeps {
  readonly driver: SandboxDriver;
  readonly clock: Clock;
  /** Tells the market what this machine offers from now on. */
  readonly announce: (report: DriverReport) => Promise<void>;
}

const identity = (report: DriverReport): string =>
  report.runners
    .map(({ runner, digest, egress, gpu }) => JSON.stringify([runner, digest, egress, gpu]))
    .toSorted((a, b) => (a < b ? -1 : 1))
    .join();

/** The health of `driver`, which answered `report` at the start. */
export function sandboxHealth(deps: SandboxHealthDeps, report: DriverReport): SandboxHealth {
  const { driver, clock, announce } = deps;
  let announced = identity(report);
  let fault: string | null = null;
  let pauseMs: number = limits.workerRetryMaxMs;
  let notBeforeMs = 0;
  let soundSinceMs = clock.nowMs();
  return {
    fault: () => fault,
    doubt(why) {
      // Faults that come again soon after a good probe make the pauses longer.
      if (fault === null && clock.nowMs() - soundSinceMs > limits.workerProbeMaxMs) pauseMs = limits.workerRetryMaxMs;
      fault ??= why;
    },
    async look() {
      const nowMs = clock.nowMs();
      if (fault === null || nowMs < notBeforeMs) return;
      notBeforeMs = nowMs + pauseMs;
      pauseMs = Math.min(pauseMs * 2, limits.workerProbeMaxMs);
      const next = await driver.probe();
      if (!next.usable) {
        fault = next.detail;
        return;
      }
      if (identity(next) !== announced) {
        await announce(next);
        announced = identity(next);
      }
      fault = null;
      soundSinceMs = nowMs;
    },
  };
}
