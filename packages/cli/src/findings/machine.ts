/** Processor, memory, disk, and the sensors that owners' limits read. */

import { statfs } from 'node:fs/promises';
import { availableParallelism, freemem, totalmem } from 'node:os';
import { detectGpu, readBattery, readCelsius, systemPaths } from '@assay/worker';
import type { Finding } from './finding.ts';

const gib = 1024 ** 3;

/** What Node, cores and memory are there. */
export function machineFindings(): Finding[] {
  const cores = availableParallelism();
  const memory = totalmem() / gib;
  return [
    { what: 'Node', state: 'ok', text: `${process.version} runs Assay` },
    {
      what: 'processor',
      state: cores >= 2 ? 'ok' : 'problem',
      text: cores >= 2 ? `${cores} cores` : 'one core: the demo works, but slowly',
    },
    {
      what: 'memory',
      state: memory >= 3 ? 'ok' : 'problem',
      text:
        memory >= 3
          ? `${memory.toFixed(1)} GiB, ${(freemem() / gib).toFixed(1)} free`
          : `${memory.toFixed(1)} GiB: four workers need about 2 GiB beside the database`,
    },
  ];
}

/** What is free on the disk of `folder`. */
export async function diskFinding(folder: string, least = 2): Promise<Finding> {
  const { bavail, bsize } = await statfs(folder);
  const free = (bavail * bsize) / gib;
  return free >= least
    ? { what: 'disk', state: 'ok', text: `${free.toFixed(0)} GiB free` }
    : { what: 'disk', state: 'problem', text: `${free.toFixed(1)} GiB free: make room for at least ${least} GiB` };
}

/** What the machine can show for the limits of its owner. */
export async function sensorFindings(): Promise<Finding[]> {
  const [battery, celsius] = await Promise.all([
    readBattery(systemPaths.powerSupplies),
    readCelsius(systemPaths.thermalZones),
  ]);
  return [
    {
      what: 'battery',
      state: 'ok',
      text: battery ? `${battery.percent} %, ${battery.onMains ? 'on mains' : 'not on mains'}` : 'none',
    },
    celsius === null
      ? { what: 'temperature', state: 'missing', text: 'no sensor: the setting max_celsius would stop all work' }
      : { what: 'temperature', state: 'ok', text: `${Math.round(celsius)} °C` },
  ];
}

/** Whether units can be given a graphics processor, which the sandboxes' reports decide. */
export async function gpuFinding(
  runtimes: () => Promise<readonly string[] | undefined>,
  runners: readonly { readonly runner: string; readonly gpu?: true }[],
): Promise<Finding> {
  const { name, text } = await detectGpu({ runtimes });
  const given = runners.filter(({ gpu }) => gpu).map(({ runner }) => runner);
  if (name !== null && given.length > 0) return { what: 'GPU', state: 'ok', text: `${text} to ${given.join(', ')}` };
  const why = name === null ? text : `${text}, but no runner here takes one`;
  return { what: 'GPU', state: 'missing', text: `${why}: jobs that ask for one go to other workers` };
}
