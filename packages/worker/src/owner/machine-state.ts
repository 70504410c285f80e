/** The machine's state as the claim gate reads it: cheap figures each time, the folder's size now and then. */

import { limits, type Clock } from '@assay/core';
import type { MachineState } from './may-claim.ts';
import { bytesUnder, freeBytesOf, otherLoad, readBattery, readCelsius, systemPaths } from './readings.ts';

export interface MachineStateDeps {
  /** The worker's folder. */
  readonly workDir: string;
  readonly clock: Clock;
  /** Units of ours that run now. */
  readonly running: () => number;
  readonly sandboxFault: () => string | null;
}

/** A reader of this machine. */
export function machineState(deps: MachineStateDeps): () => Promise<Omit<MachineState, 'pause'>> {
  let disk = { usedBytes: 0, atMs: -Infinity };
  return async () => {
    const nowMs = deps.clock.nowMs();
    if (nowMs - disk.atMs >= limits.workerDiskLookMs) {
      disk = { usedBytes: await bytesUnder(deps.workDir), atMs: nowMs };
    }
    const [battery, celsius, diskFreeBytes] = await Promise.all([
      readBattery(systemPaths.powerSupplies),
      readCelsius(systemPaths.thermalZones),
      freeBytesOf(deps.workDir),
    ]);
    return {
      sandboxFault: deps.sandboxFault(),
      load: otherLoad(deps.running()),
      battery,
      celsius,
      diskUsedBytes: disk.usedBytes,
      diskFreeBytes,
    };
  };
}
