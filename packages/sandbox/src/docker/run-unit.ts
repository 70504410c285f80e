/** One unit in one container, from its order until no process of it is left. */

import { limits, type Ending, type LogSink, type RunEvidence, type SandboxUnit } from '@assay/core';
import { collector, type Collector } from '../capture/collector.ts';
import { FrameViolation, frameReaderOf, type Frame } from '../capture/frames.ts';
import { QuotaExceeded } from '../capture/output-store.ts';
import { frameKinds } from '../wasm/guest/wire.ts';
import type { UnitReport } from '../wasm/run-unit.ts';
import { bounds } from './bounds.ts';
import type { Cell, Death } from './cell.ts';
import type { Egress } from './egress.ts';
import { sendAll } from './send-inputs.ts';
import { signalName } from './signals.ts';
import {
  allCollectorKinds,
  collectorKinds,
  collectorVersion,
  orderFrame,
  orderKinds,
  type CollectorKind,
} from './wire.ts';

type Killed = Extract<Ending, { kind: 'killed' }>['why'];

export interface CellRun {
  readonly cell: Cell;
  readonly unit: SandboxUnit;
  readonly order: Buffer;
  readonly log: LogSink;
  readonly stop: AbortSignal;
  readonly outputRoot: string;
  readonly egress: Egress;
  /** When the run was asked for, by `performance.now`. */
  readonly askedAt: number;
}

/** What is known beside the frames. */
interface State {
  killed: Killed | undefined;
  fault: unknown;
  signal: number;
}

/**
 * Runs the unit; resolves only when no process of the container can run any more: they are gone, or the collector alone
 * is left, frozen and killed. What is left of it is for `cell.remove`.
 */
export async function runInCell(run: CellRun): Promise<UnitReport> {
  const { cell } = run;
  // What an interpreter that was started ahead has used is not the unit's.
  const before = cell.ahead ? (await cell.figures()).cpuMs : 0;
  const sink = collector(run.outputRoot, run.unit.limits, run.log);
  const state: State = { killed: undefined, fault: undefined, signal: 0 };
  const guard = watch(run, state);
  try {
    await follow(run, sink, state, guard);
  } catch (error) {
    if (error instanceof FrameViolation) state.killed ??= 'policy';
    else if (error instanceof QuotaExceeded) state.killed ??= error.why;
    else state.fault ??= error;
  }
  guard.close();
  run.egress.close();
  const figures = await cell.figures();
  const died = await settle(cell, sink);
  await sink.close();
  const ending = endingOf(state, sink, died, figures, cell);
  const wallMs = Math.round(performance.now() - run.askedAt);
  return {
    ending,
    usage: { cpuMs: Math.max(0, figures.cpuMs - before), peakBytes: figures.peakBytes, wallMs },
    evidence: evidenceOf(state, run, died, figures.oomKills, ending),
    outputs: ending.kind === 'exit' ? sink.result().outputs : [],
  };
}

/** Ends the container: in good order where the collector is done, by force where it is not or does not leave. */
async function settle(cell: Cell, sink: Collector): Promise<Death | undefined> {
  if (sink.phase() === 'done') {
    if (await cell.rest()) return undefined;
    // Frozen, it reads nothing, and what a tunnel brought may lie before this: nobody waits for it to be heard.
    void cell.send(orderFrame(orderKinds.leave, new Uint8Array()));
    // The collector is alone now, and gVisor's kernel would stay until somebody tidies up after it.
    cell.strike();
    if (await cell.gone(bounds.leaveMs)) return undefined;
  }
  const died = await cell.death().catch(() => undefined);
  cell.strike();
  await cell.kill();
  return died;
}

async function follow(run: CellRun, sink: Collector, state: State, guard: Guard): Promise<void> {
  const { cell, unit } = run;
  const reader = frameReaderOf<CollectorKind>(allCollectorKinds);
  const send = async () => {
    await sendAll(cell, run.order, unit.inputs);
    guard.enter('running');
  };
  // The order need not wait for the collector: it lies in the pipe until then.
  const sending = send().catch((error: unknown) => {
    state.fault ??= error;
    guard.end();
  });
  for (;;) {
    const bytes = await cell.next();
    if (bytes === undefined || guard.ended()) break;
    for (const frame of reader.push(bytes)) {
      if (frame.kind === collectorKinds.overflow) {
        state.killed ??= 'scratch';
        return;
      }
      if (frame.kind > collectorKinds.overflow) run.egress.hear(frame.kind, frame.payload);
      else await sink.take(plainFrame(frame, state));
      if (sink.phase() === 'collecting') guard.enter('collecting');
    }
    if (sink.phase() === 'done') break;
  }
  if (state.fault === undefined && sink.phase() === 'done') await sending;
}

/** Checks what this collector says more than other guests do, and takes it off. */
function plainFrame({ kind, payload }: Frame<CollectorKind>, state: State): Frame {
  if (kind === frameKinds.ready) {
    if (Buffer.from(payload).toString('latin1') !== collectorVersion) {
      throw new Error('the image has another version of the collector: build the images anew');
    }
    return { kind, payload: new Uint8Array() };
  }
  if (kind === frameKinds.ended) {
    if (payload.length !== 6) throw new FrameViolation('ended otherwise');
    state.signal = payload[5] ?? 0;
    return { kind, payload: payload.subarray(0, 5) };
  }
  return { kind, payload } as Frame;
}

interface Guard {
  enter(phase: 'running' | 'collecting'): void;
  end(): void;
  ended(): boolean;
  close(): void;
}

/** The limits from outside: the clock of each phase, the operator's stop, a look at the figures while there are some. */
function watch(run: CellRun, state: State): Guard {
  const { cell, unit, stop } = run;
  let over = false;
  let phase: 'starting' | 'running' | 'collecting' | 'closed' = 'starting';
  const end = () => {
    over = true;
    cell.hangUp();
  };
  const kill = (why: Killed) => {
    state.killed ??= why;
    end();
  };
  const onStop = () => kill('operator');
  let clock = setTimeout(end, limits.sandboxStartMs);
  const watcher = setInterval(() => {
    void cell.figures();
    if (cell.socketBytes() > bounds.socketBytesMost) kill('memory');
  }, bounds.watchMs);
  stop.addEventListener('abort', onStop);
  if (stop.aborted) onStop();
  return {
    enter(next) {
      if (phase === next || phase === 'collecting' || phase === 'closed') return;
      phase = next;
      clearTimeout(clock);
      if (next === 'running') clock = setTimeout(() => kill('wall'), unit.limits.wallMs);
      else clock = setTimeout(() => kill('outputs'), limits.sandboxCollectMs);
    },
    end,
    ended: () => over,
    close() {
      // An order that is still on its way must not start a clock that keeps the process from its end.
      phase = 'closed';
      clearTimeout(clock);
      clearInterval(watcher);
      stop.removeEventListener('abort', onStop);
    },
  };
}

const sigKill = 9;
const sigFileSize = 25;

function endingOf(
  { killed, fault, signal }: State,
  sink: Collector,
  died: Death | undefined,
  figures: { readonly oomKills: number; readonly pidsRefused: number },
  cell: Cell,
): Ending {
  if (killed !== undefined) return { kind: 'killed', why: killed };
  if (fault !== undefined) return infra(fault instanceof Error ? fault.message : 'the driver failed');
  const outOfMemory = figures.oomKills > 0 || died?.outOfMemory === true;
  if (sink.phase() === 'done') {
    if (signal === sigKill && outOfMemory) return { kind: 'killed', why: 'memory' };
    if (signal === sigFileSize) return { kind: 'killed', why: 'scratch' };
    return { kind: 'exit', code: sink.result().exitCode };
  }
  if (sink.phase() === 'starting') return infra(`the container did not get ready: ${cell.complaint().slice(-500)}`);
  if (outOfMemory) return { kind: 'killed', why: 'memory' };
  // A sandbox that dies of its own: gVisor's does where a unit makes more processes than it may.
  return { kind: 'killed', why: 'policy' };
}

function evidenceOf(
  state: State,
  run: CellRun,
  died: Death | undefined,
  oomKills: number,
  ending: Ending,
): RunEvidence {
  // Not where gVisor itself died: too many processes of an honest unit do that too, and a breach bans a customer.
  const broke = ending.kind === 'killed' && state.killed === 'policy';
  const connections = run.egress.connections();
  const signal = signalName(state.signal);
  return {
    ...(signal === undefined ? {} : { signal }),
    ...(oomKills > 0 || died?.outOfMemory === true ? { outOfMemory: true } : {}),
    ...(connections.length === 0 ? {} : { connections }),
    ...(broke ? { breach: 'the collector was made to speak out of turn' } : {}),
  };
}

function infra(message: string): Ending {
  return { kind: 'infra', message };
}
