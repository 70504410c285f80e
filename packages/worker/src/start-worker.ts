/** From a key, a driver and a transport to a working agent that heeds what the machine's owner allows. */

import { join } from 'node:path';
import {
  Fault,
  isoTime,
  limits,
  type Clock,
  type DriverReport,
  type IdSource,
  type SandboxDriver,
  type WorkerId,
} from '@assay/core';
import type { Machine } from '@assay/client';
import { mkdir } from 'node:fs/promises';
import { startAgent, type Agent } from './agent.ts';
import { coresOfUnit, cpuScore, describeMachine, isOfClass } from './benchmark.ts';
import type { DeviceKey } from './device-key.ts';
import { inputCache } from './input-cache.ts';
import { openClaimGate, type ClaimGate } from './owner/claim-gate.ts';
import { machineState } from './owner/machine-state.ts';
import { readPause } from './owner/pause-file.ts';
import { sandboxHealth, type SandboxHealth } from './owner/sandbox-health.ts';
import type { WorkerSettings } from './owner/settings.ts';
import { removeStatus, statusWriter } from './owner/status-file.ts';
import { readWorkerId, writeWorkerId } from './owner/worker-folder.ts';
import type { Lie } from './run-replica.ts';
import type { WorkTransport } from './transport.ts';

export interface WorkerOptions {
  /** What people call this device. */
  readonly name: string;
  readonly transport: WorkTransport;
  readonly deviceKey: DeviceKey;
  readonly driver: SandboxDriver;
  /** The worker's own folder; one worker at a time. */
  readonly workDir: string;
  /** What the machine's owner allows. */
  readonly settings: WorkerSettings;
  /** The market, for the status file. */
  readonly url: string;
  readonly clock: Clock;
  readonly ids: IdSource;
  /** Told what an operator should know, in one sentence each. */
  readonly log: (text: string) => void;
  /** The speed of a core, measured when left out. */
  readonly score?: number;
  /** What people call the graphics processor that units can be given. */
  readonly gpu?: string;
  /** FOR DEMONSTRATIONS AND TESTS ONLY: makes this worker dishonest. */
  readonly lie?: Lie;
}

export interface Worker extends Pick<Agent, 'stop' | 'done' | 'figures'> {
  readonly workerId: WorkerId;
  readonly machine: Machine;
}

/** Probes the driver, registers the device and starts the agent. Faults `sandbox.unavailable`. */
export async function startWorker(options: WorkerOptions): Promise<Worker> {
  const { transport, deviceKey, driver, workDir, settings, clock, ids } = options;
  await mkdir(workDir, { recursive: true, mode: 0o700 });
  const report = await driver.probe();
  if (!report.usable) throw new Fault('sandbox.unavailable', report.detail, { retry: false });
  const score = options.score ?? cpuScore();
  const describe = (one: DriverReport) => describeMachine(one, { settings, score, gpu: options.gpu ?? null });
  const machine = describe(report);
  let announced = machine;
  if (machine.runners.length === 0) {
    const named = settings.runners?.join(', ') ?? '';
    throw new Fault('sandbox.unavailable', `no sandbox of this machine has ${named}`, { retry: false });
  }
  const workerId = await identify(options, machine);
  const announce = async (next: DriverReport) => {
    announced = describe(next);
    await transport.register(options.name, deviceKey.publicKey, announced);
  };
  const health = sandboxHealth({ driver, clock, announce }, report);
  const agentOf: { agent?: Agent } = {};
  const gate = await openGate(options, { health, machine, workerId, agentOf });
  try {
    const agent = await startAgent({
      worker: workerId,
      calls: transport.connect(workerId, deviceKey),
      driver,
      cache: inputCache({ folder: join(workDir, 'inputs'), maxBytes: cacheBytes(settings), clock }),
      workDir,
      capacity: settings.capacity,
      computes: (machineClass) => isOfClass(announced, machineClass),
      egress: settings.egress,
      ids,
      mayClaim: () => health.fault() === null && gate.answer().may,
      onSandboxFault(why) {
        health.doubt(why);
        void gate.look();
      },
      note: options.log,
      ...(settings.cpu_share < 1 && { mostCores: coresOfUnit(settings) }),
      ...(options.lie ? { lie: options.lie } : {}),
    });
    agentOf.agent = agent;
    let stopped: Promise<void> | undefined;
    const stop = async (): Promise<void> => {
      await gate.stop();
      await agent.stop();
      await removeStatus(workDir);
    };
    return { workerId, machine, done: agent.done, figures: agent.figures, stop: () => (stopped ??= stop()) };
  } catch (error) {
    await gate.stop();
    throw error;
  }
}

/** Half of the owner's disk is for inputs that may come again. */
function cacheBytes({ disk_gb: quota }: WorkerSettings): number {
  return Math.min(limits.workerCacheBytes, (quota * 1024 ** 3) / 2);
}

interface GateParts {
  readonly health: SandboxHealth;
  readonly machine: Machine;
  readonly workerId: WorkerId;
  /** Filled once the agent is there, which asks the gate itself. */
  readonly agentOf: { agent?: Agent };
}

function openGate(options: WorkerOptions, parts: GateParts): Promise<ClaimGate> {
  const { settings, clock, workDir, name, url } = options;
  const { health, machine, workerId, agentOf } = parts;
  const startedAt = isoTime(clock.nowMs());
  const figures = () => agentOf.agent?.figures() ?? { running: 0, waiting: 0 };
  const readMachine = machineState({
    workDir,
    clock,
    running: () => figures().running,
    sandboxFault: () => health.fault(),
  });
  const write = statusWriter(workDir);
  return openClaimGate({
    settings,
    clock,
    note: options.log,
    readPause: () => readPause(workDir),
    async read() {
      const doubted = health.fault() !== null;
      await health.look();
      if (doubted && health.fault() === null) agentOf.agent?.reconsider();
      return readMachine();
    },
    onChange: () => agentOf.agent?.reconsider(),
    onGiveBack: () => agentOf.agent?.giveBack(),
    async onLook(answer) {
      await write({
        workerId,
        name,
        url,
        startedAt,
        may: answer.may,
        reason: answer.may ? null : answer.reason,
        text: answer.may ? null : answer.text,
        ...figures(),
        capacity: settings.capacity,
        runners: machine.runners.map(({ runner }) => runner),
      });
    },
  });
}

/** The worker's id: from the server, or from an earlier start while the server cannot be reached. */
async function identify(options: WorkerOptions, machine: Machine): Promise<WorkerId> {
  const { publicKey } = options.deviceKey;
  try {
    const workerId = await options.transport.register(options.name, publicKey, machine);
    await writeWorkerId(options.workDir, workerId, publicKey);
    return workerId;
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    const workerId = await readWorkerId(options.workDir, publicKey);
    if (workerId === undefined) throw error;
    options.log(`starts as the worker that it was, without the server for now: ${error.message}`);
    return workerId;
  }
}
