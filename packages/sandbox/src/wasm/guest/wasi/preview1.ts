/**
 * The system interface of a WASI program (preview 1) over files in memory: no host file, no socket, no process, no
 * signal. What a call may not do is answered with a number, and a call that is not here cannot be imported.
 */

import { descriptorTable, type Descriptors } from './descriptors.ts';
import { errno, WasiError, type Disk, type FolderNode } from './disk.ts';
import { fileCalls } from './file-calls.ts';
import { programMemory, type Memory } from './memory.ts';
import { pathCalls } from './path-calls.ts';

/** What a program is given. */
export interface Surroundings {
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly disk: Disk;
  readonly preopened: readonly [string, FolderNode][];
  readonly mostDescriptors: number;
  randomFill(bytes: Uint8Array): void;
  /** Milliseconds since 1970, and milliseconds that only grow. */
  clock(kind: 'real' | 'monotonic'): number;
  /** Whether the clock moves only by being read. */
  isPinned(): boolean;
  say(stream: 'stdout' | 'stderr', bytes: Uint8Array): void;
}

/** What the calls share. */
export interface Host extends Surroundings {
  readonly descriptors: Descriptors;
  memory(): Memory;
  nowNs(kind: 'real' | 'monotonic'): bigint;
}

/** A WASI call; 64-bit arguments arrive as `bigint`, everything else as 32-bit numbers. */
export type Call = (...args: never[]) => number;

/** Thrown through the program when it ends itself. */
export class ProgramExit extends Error {
  override readonly name = 'ProgramExit';
  readonly code: number;
  constructor(code: number) {
    super(`exit ${code}`);
    this.code = code;
  }
}

/** The imports of `wasi_snapshot_preview1`; `bind` gives them the program's memory once it exists. */
export function preview1(surroundings: Surroundings): {
  readonly imports: Readonly<Record<string, Call>>;
  bind(memory: WebAssembly.Memory): void;
} {
  let memory: Memory | undefined;
  const host: Host = {
    ...surroundings,
    descriptors: descriptorTable(surroundings.disk, surroundings.preopened, surroundings.mostDescriptors),
    memory() {
      // Only a start function runs before the program's memory is known.
      if (!memory) throw new WasiError(errno.fault);
      return memory;
    },
    nowNs: (kind) => BigInt(Math.round(surroundings.clock(kind) * 1000)) * 1000n,
  };
  const calls = { ...processCalls(host), ...clockCalls(host), ...fileCalls(host), ...pathCalls(host), ...socketCalls };
  return {
    imports: Object.fromEntries(Object.entries<Call>(calls).map(([name, call]) => [name, answering(call)])),
    bind(given) {
      memory = programMemory(given);
    },
  };
}

/** The call with its errors as numbers. */
function answering(call: Call): Call {
  return (...args) => {
    try {
      return call(...args);
    } catch (error) {
      if (error instanceof WasiError) return error.errno;
      throw error;
    }
  };
}

function processCalls(host: Host) {
  const encoder = new TextEncoder();
  const variables = Object.entries(host.environment).map(([name, value]) => `${name}=${value}`);
  const sizes = (texts: readonly string[]) => (countAt: number, bytesAt: number) => {
    host.memory().u32(countAt, texts.length);
    host.memory().u32(
      bytesAt,
      texts.reduce((total, text) => total + encoder.encode(text).length + 1, 0),
    );
    return errno.success;
  };
  const lay = (texts: readonly string[]) => (pointersAt: number, at: number) => {
    let next = at >>> 0;
    for (const [index, text] of texts.entries()) {
      const bytes = encoder.encode(`${text}\0`);
      host.memory().u32((pointersAt >>> 0) + 4 * index, next);
      host.memory().bytes(next, bytes.length).set(bytes);
      next += bytes.length;
    }
    return errno.success;
  };
  return {
    args_sizes_get: sizes(host.args),
    args_get: lay(host.args),
    environ_sizes_get: sizes(variables),
    environ_get: lay(variables),
    random_get(at: number, length: number) {
      host.randomFill(host.memory().bytes(at, length));
      return errno.success;
    },
    proc_exit(code: number): never {
      throw new ProgramExit(code & 0xff);
    },
    proc_raise: () => errno.notSupported,
    sched_yield: () => errno.success,
  };
}

const clockKinds = ['real', 'monotonic', 'monotonic', 'monotonic'] as const;
const mostSubscriptions = 64;

function kindOf(id: number): 'real' | 'monotonic' {
  const kind = clockKinds[id];
  if (!kind) throw new WasiError(errno.invalid);
  return kind;
}

function clockCalls(host: Host) {
  const wait = (kind: 'real' | 'monotonic', untilNs: bigint) => {
    const cell = new Int32Array(new SharedArrayBuffer(4));
    for (let left = untilNs - host.nowNs(kind); left > 0n; left = untilNs - host.nowNs(kind)) {
      // A pinned clock moves by being read; a real one is waited for.
      Atomics.wait(cell, 0, 0, host.isPinned() ? 0 : Math.min(Number(left) / 1e6, 100));
    }
  };
  return {
    clock_res_get(id: number, at: number) {
      kindOf(id);
      host.memory().u64(at, 1000n);
      return errno.success;
    },
    clock_time_get(id: number, _precision: bigint, at: number) {
      host.memory().u64(at, host.nowNs(kindOf(id)));
      return errno.success;
    },
    /** Files are always ready; otherwise the call waits for the earliest of its clocks. */
    poll_oneoff(inAt: number, outAt: number, count: number, writtenAt: number) {
      if (count === 0 || count >>> 0 > mostSubscriptions) throw new WasiError(errno.invalid);
      const memory = host.memory();
      const found = Array.from({ length: count }, (_, index) => readSubscription(memory, (inAt >>> 0) + 48 * index));
      let ready = found.filter(({ type }) => type !== 0);
      if (ready.length === 0) {
        const clocks = found.map(({ clock, timeoutNs, absolute, ...rest }) => {
          const kind = kindOf(clock);
          return { ...rest, kind, untilNs: absolute ? timeoutNs : host.nowNs(kind) + timeoutNs };
        });
        const [first] = clocks.toSorted((a, b) => (a.untilNs < b.untilNs ? -1 : 1));
        if (first) wait(first.kind, first.untilNs);
        ready = found.filter(({ userData }) => userData === first?.userData);
      }
      for (const [index, { userData, type }] of ready.entries()) {
        const at = (outAt >>> 0) + 32 * index;
        memory.bytes(at, 32).fill(0);
        memory.u64(at, userData);
        memory.u8(at + 10, type);
      }
      memory.u32(writtenAt, ready.length);
      return errno.success;
    },
  };
}

function readSubscription(memory: Memory, at: number) {
  return {
    userData: memory.readU64(at),
    type: memory.readU8(at + 8),
    clock: memory.readU32(at + 16),
    timeoutNs: memory.readU64(at + 24),
    absolute: (memory.readU16(at + 40) & 1) === 1,
  };
}

/** No descriptor is a socket. */
const socketCalls = Object.fromEntries(
  ['sock_accept', 'sock_recv', 'sock_send', 'sock_shutdown'].map((name) => [name, () => errno.notSupported]),
);
