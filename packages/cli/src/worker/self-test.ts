/** The self-test of a worker: everything that it needs, and a step that mends each lack. */

import { stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { totalmem } from 'node:os';
import { coresOfUnit, cpuScore, readBattery, systemPaths, type WorkerSettings } from '@assay/worker';
import { checkout } from '../config.ts';
import { dockerFindings, engineInfo } from '../findings/docker.ts';
import type { Finding } from '../findings/finding.ts';
import { diskFinding, gpuFinding, machineFindings, sensorFindings } from '../findings/machine.ts';
import { marketFindings } from '../findings/market.ts';
import { sandboxFindings } from '../findings/sandboxes.ts';
import { makeFolder } from '../make-folder.ts';

export interface SelfTest {
  readonly stateDir: string;
  readonly settings: WorkerSettings;
  /** Undefined where no market is known yet. */
  readonly url: string | undefined;
  readonly apiKey: string | undefined;
  /** The user of the service that is to run here, if another one than ours. */
  readonly user?: string;
}

/** Everything, in the order in which an owner would mend it. */
export async function selfTest(test: SelfTest): Promise<Finding[]> {
  const { stateDir, settings, url, apiKey } = test;
  await makeFolder(stateDir);
  const [node, ...machine] = machineFindings();
  const docker = settings.sandbox === 'wasm' ? [] : await dockerFindings(settings.docker_socket, settings.images_dir);
  const runtimes = async () => {
    const info = settings.sandbox === 'wasm' ? '' : await engineInfo(settings.docker_socket);
    return typeof info === 'string' ? undefined : info.runtimes;
  };
  const sandboxes = await sandboxFindings(join(stateDir, 'check'), settings);
  return [
    ...(node ? [node] : []),
    // A worker of one unit needs less than the demo of a whole market does.
    ...machine.map((one) => (one.state === 'problem' ? { ...one, state: 'missing' as const } : one)),
    memoryOfUnit(settings),
    await diskFinding(stateDir, settings.disk_gb),
    ...(await readable(test.user)),
    ...sandboxes.findings,
    ...namedRunners(
      settings,
      sandboxes.runners.map(({ runner }) => runner),
    ),
    ...docker,
    await gpuFinding(runtimes, sandboxes.runners),
    ...(await limitsOf(settings)),
    benchmark(settings),
    ...(url === undefined
      ? [{ what: 'market', state: 'missing' as const, text: 'none is named', fix: './assay worker join URL' }]
      : await marketFindings(url, apiKey)),
  ];
}

const gib = 1024 ** 3;

function memoryOfUnit({ memory_share: share, capacity }: WorkerSettings): Finding {
  const each = (totalmem() * share) / capacity / gib;
  const text = `${each.toFixed(1)} GiB for each of ${capacity} units at once`;
  return each >= 1
    ? { what: 'per unit', state: 'ok', text }
    : { what: 'per unit', state: 'missing', text: `${text}: most jobs ask for 1`, fix: 'lower the capacity' };
}

function benchmark(settings: WorkerSettings): Finding {
  const text = `${cpuScore()} of the reference core, ${coresOfUnit(settings).toFixed(1)} cores for each unit`;
  return { what: 'benchmark', state: 'ok', text };
}

/** Whether the runners that the owner names are there. Without any of them a worker would only start and fail. */
function namedRunners({ runners: named }: WorkerSettings, offered: readonly string[]): Finding[] {
  const absent = (named ?? []).filter((runner) => !offered.includes(runner));
  if (absent.length === 0 || offered.length === 0) return [];
  return [
    {
      what: 'runners',
      state: absent.length === named?.length ? 'problem' : 'missing',
      text: `no sandbox here has ${absent.join(', ')}`,
      fix: `--runners with some of ${offered.join(',')}, or --runners '' for all`,
    },
  ];
}

/** What the owner's limits need to see. */
async function limitsOf(settings: WorkerSettings): Promise<Finding[]> {
  const [battery, temperature] = await sensorFindings();
  const needsBattery =
    settings.battery_percent !== undefined && (await readBattery(systemPaths.powerSupplies)) !== null;
  const blind = settings.max_celsius !== undefined && temperature?.state !== 'ok';
  return [
    ...(needsBattery && battery ? [battery] : []),
    ...(settings.max_celsius !== undefined && temperature
      ? [{ ...temperature, ...(blind && { state: 'problem' as const, fix: 'leave max_celsius out' }) }]
      : []),
    ...(settings.idle_load !== undefined && process.platform === 'win32'
      ? [{ what: 'load', state: 'problem' as const, text: 'Windows does not tell it', fix: 'leave idle_load out' }]
      : []),
  ];
}

/** Whether a service of another user can read this program. */
async function readable(user: string | undefined): Promise<Finding[]> {
  if (user === undefined) return [];
  for (let folder = checkout; dirname(folder) !== folder; folder = dirname(folder)) {
    const { mode } = await stat(folder);
    if ((mode & 0o005) === 0o005) continue;
    const text = `${user} may not read ${folder}, where this program lies`;
    const fix = `move the checkout to a folder that everybody may read, such as /opt/assay`;
    return [{ what: 'checkout', state: 'problem', text, fix }];
  }
  return [];
}
