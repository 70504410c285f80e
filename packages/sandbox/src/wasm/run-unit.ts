/** One unit in one child process, from the spawn until no process of it is left. */

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import type { Writable } from 'node:stream';
import {
  limits,
  type Ending,
  type InputFile,
  type LogSink,
  type RunEvidence,
  type SandboxUnit,
  type Tree,
  type Usage,
} from '@assay/core';
import { spawnChild, type Child } from './child.ts';
import { collector, type Collector } from '../capture/collector.ts';
import { FrameViolation, type Frame } from '../capture/frames.ts';
import { frameKinds, type GuestUnit } from './guest/wire.ts';
import { framesOf, type IdleChild } from './idle-child.ts';
import { QuotaExceeded } from '../capture/output-store.ts';
import { processFigures } from './process-figures.ts';
import type { Runtime } from './runtime.ts';

type Killed = Extract<Ending, { kind: 'killed' }>['why'];

export interface UnitRun {
  readonly runtime: Runtime;
  readonly unit: SandboxUnit;
  readonly log: LogSink;
  readonly stop: AbortSignal;
  readonly outputRoot: string;
  /** A process that waits for a unit; a new one is started where there is none. */
  readonly idle?: IdleChild;
  /** Told of a process that was started for this unit. */
  onSpawn(pid: number): Promise<void>;
}

export interface UnitReport {
  readonly ending: Ending;
  readonly usage: Usage;
  readonly evidence: RunEvidence;
  readonly outputs: Tree;
}

interface ChildReport extends UnitReport {
  /** When the child's whole process group is gone, its memory returned. */
  readonly gone: Promise<void>;
}

/**
 * Runs the unit; resolves only when nothing of it can run again. A child that was killed is gone by then; one that was
 * done may still return its memory.
 */
export async function runInChild(run: UnitRun): Promise<ChildReport> {
  const { unit } = run;
  const started = performance.now();
  const child = run.idle?.child ?? spawnChild(run.runtime, { cpuSeconds: cpuBound(unit), mode: 'run' });
  const sink = collector(run.outputRoot, unit.limits, run.log);
  const guard = watch(child, run);
  let fault: unknown;
  try {
    if (!run.idle) await run.onSpawn(child.pid);
    await follow(child, run.idle?.frames, sink, unit, guard);
  } catch (error) {
    if (error instanceof FrameViolation) guard.kill('policy');
    else if (error instanceof QuotaExceeded) guard.kill(error.why);
    else fault = error;
  }
  guard.look();
  const isDone = sink.phase() === 'done' && guard.killed() === undefined;
  const died = sink.phase() === 'done' ? undefined : await soonEnded(child);
  guard.close();
  if (isDone) await child.end();
  const gone = child.destroy();
  if (!isDone) await gone;
  await sink.close();
  const killed = guard.killed();
  const ending = fault === undefined || killed ? endingOf(killed, sink, died, child) : infra(fault);
  const usage = { ...guard.usage(), wallMs: Math.round(performance.now() - started) };
  const evidence = evidenceOf(ending, sink, died);
  return { ending, usage, evidence, outputs: ending.kind === 'exit' ? sink.result().outputs : [], gone };
}

/** CPU seconds after which the kernel ends the process, should nobody else be left to do it. */
export function cpuBound(unit: SandboxUnit): number {
  return Math.ceil(unit.limits.wallMs / 1000) * 8 + 120;
}

/**
 * Reads frames until the unit is done or the child hangs up; the unit is sent once the child is ready, which one that
 * has `waited` already is.
 */
async function follow(
  child: Child,
  waited: AsyncGenerator<Frame> | undefined,
  sink: Collector,
  unit: SandboxUnit,
  guard: Guard,
): Promise<void> {
  let sending: Promise<void> | undefined;
  let fault: unknown;
  const hear = async (frame: Frame) => {
    const before = sink.phase();
    await sink.take(frame);
    if (sink.phase() === before) return;
    guard.enter(sink.phase());
    if (sink.phase() !== 'running') return;
    sending = sendUnit(child.orders, unit).catch((error: unknown) => {
      fault = error;
      child.orders.destroy();
    });
  };
  if (waited) await hear({ kind: frameKinds.ready, payload: new Uint8Array() });
  for await (const frame of waited ?? framesOf(child)) {
    await hear(frame);
    if (sink.phase() === 'done') break;
  }
  await sending;
  if (fault !== undefined) throw fault;
}

interface Guard {
  kill(why: Killed): void;
  killed(): Killed | undefined;
  enter(phase: ReturnType<Collector['phase']>): void;
  /** Takes the figures once more. */
  look(): void;
  usage(): Omit<Usage, 'wallMs'>;
  close(): void;
}

/** What the process may hold at once: the interpreter, the unit's memory, and beside it the files that it may have in memory. */
function residentBound({ limits: allowed, inputs }: SandboxUnit, { overheadBytes }: { overheadBytes: number }) {
  const inputBytes = inputs.reduce((total, input) => total + input.sizeBytes, 0);
  return overheadBytes + allowed.memoryBytes + allowed.scratchBytes + inputBytes;
}

/** The limits from outside: the clock of each phase, the memory watch, the operator's stop. */
function watch(child: Child, run: UnitRun): Guard {
  const mostBytes = residentBound(run.unit, run.runtime);
  let killed: Killed | undefined;
  const startCpuMs = run.idle ? (processFigures(child.pid)?.cpuMs ?? 0) : 0;
  let cpuMs = 0;
  let peakBytes = 0;
  const kill = (why: Killed) => {
    killed ??= why;
    void child.destroy();
  };
  const look = () => {
    const figures = processFigures(child.pid);
    if (!figures) return;
    cpuMs = Math.max(cpuMs, figures.cpuMs - startCpuMs);
    peakBytes = Math.max(peakBytes, figures.peakBytes);
    if (figures.residentBytes > mostBytes) kill('memory');
  };
  const onStop = () => kill('operator');
  let clock = setTimeout(() => void child.destroy(), limits.sandboxStartMs);
  const watcher = setInterval(look, limits.sandboxWatchMs);
  run.stop.addEventListener('abort', onStop);
  if (run.stop.aborted) onStop();
  return {
    kill,
    killed: () => killed,
    enter(phase) {
      clearTimeout(clock);
      if (phase === 'running') clock = setTimeout(() => kill('wall'), run.unit.limits.wallMs);
      if (phase === 'collecting') clock = setTimeout(() => kill('outputs'), limits.sandboxCollectMs);
    },
    look,
    usage: () => ({ cpuMs, peakBytes }),
    close() {
      clearTimeout(clock);
      clearInterval(watcher);
      run.stop.removeEventListener('abort', onStop);
    },
  };
}

type Death = Awaited<Child['ended']>;

/** The child closed its pipe without finishing: it is dead or about to be. */
async function soonEnded(child: Child): Promise<Death | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), 1000);
  });
  const ended = await Promise.race([child.ended, late]);
  clearTimeout(timer);
  return ended;
}

function endingOf(killed: Killed | undefined, sink: Collector, died: Death | undefined, child: Child): Ending {
  const phase = sink.phase();
  if (killed !== undefined) return { kind: 'killed', why: killed };
  if (phase === 'starting') return infra(`the interpreter did not start: ${child.stderrTail().slice(-500)}`);
  if (phase === 'done') {
    const { sealBroken, exitCode } = sink.result();
    return sealBroken ? { kind: 'killed', why: 'policy' } : { kind: 'exit', code: exitCode };
  }
  if (died?.signal === 'SIGXCPU') return { kind: 'killed', why: 'wall' };
  if (died?.signal === 'SIGKILL') return infra('something outside killed the sandbox');
  // Node aborts, or fails with a code, where memory cannot be had; a child that leaves of itself was taken over.
  return { kind: 'killed', why: died?.code === 0 ? 'policy' : 'memory' };
}

function evidenceOf(ending: Ending, sink: Collector, died: Death | undefined): RunEvidence {
  const breach = sink.phase() === 'done' && sink.result().sealBroken ? 'a sealed import was called' : undefined;
  return {
    ...(died?.signal ? { signal: died.signal } : {}),
    ...(ending.kind === 'killed' && ending.why === 'memory' ? { outOfMemory: true } : {}),
    ...(breach === undefined ? {} : { breach }),
  };
}

function infra(fault: unknown): Ending {
  return { kind: 'infra', message: fault instanceof Error ? fault.message : String(fault) };
}

async function sendUnit(orders: Writable, unit: SandboxUnit): Promise<void> {
  const message: GuestUnit = {
    entryPoint: unit.entryPoint,
    args: unit.args,
    outputDir: unit.outputDir,
    environment: unit.environment,
    inputs: unit.inputs.map(({ path, sizeBytes }) => ({ path, sizeBytes })),
    randomSeed: unit.randomSeed ?? null,
    epochMs: unit.epochMs ?? null,
    memoryBytes: unit.limits.memoryBytes,
    scratchBytes: unit.limits.scratchBytes,
    scratchFiles: limits.sandboxScratchFiles,
  };
  const line = Buffer.from(JSON.stringify(message));
  const length = Buffer.alloc(4);
  length.writeUInt32BE(line.length);
  await write(orders, Buffer.concat([length, line]));
  for (const input of unit.inputs) await sendInput(orders, input);
}

/** Streams one input; throws where the file is not what its entry says. */
async function sendInput(orders: Writable, input: InputFile): Promise<void> {
  const hash = createHash('sha256');
  let sent = 0;
  for await (const chunk of createReadStream(input.hostPath)) {
    const bytes = chunk as Buffer;
    sent += bytes.length;
    if (sent > input.sizeBytes) break;
    hash.update(bytes);
    await write(orders, bytes);
  }
  if (sent !== input.sizeBytes || hash.digest('hex') !== input.sha256) {
    throw new Error(`the input ${input.path} on this machine is not what the job lists`);
  }
}

function write(orders: Writable, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve) => {
    // A child that hung up is reported by its ending, not by its pipe.
    orders.write(bytes, () => resolve());
  });
}
