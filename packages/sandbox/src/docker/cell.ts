/** One container for one unit: started, attached to, compared with what was asked, ended for good. */

import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { setImmediate as soon } from 'node:timers/promises';
import { Fault, refuse } from '@assay/core';
import { bounds } from './bounds.ts';
import { cgroupNamed, cgroupOf, removeCgroup, type Cgroup, type CgroupFigures } from './cgroup.ts';
import { createBody, differences, type CellClass, type CreateBody } from './container-body.ts';
import { DaemonError, type Attachment, type Daemon } from './daemon.ts';
import { outputOf } from './multiplex.ts';

/** How a container ended, by the daemon's word. */
export interface Death {
  readonly exitCode: number;
  readonly outOfMemory: boolean;
}

export interface Cell {
  readonly id: string;
  readonly class: CellClass;
  /** Whether an interpreter waits in it. */
  readonly ahead: boolean;
  /** The process on this machine that the container's first process is. */
  readonly pid: number;
  /** Waits until the collector has said its first word; false where it ended before. */
  ready(): Promise<boolean>;
  /** Whether it still runs, as far as this machine can tell without asking. */
  alive(): boolean;
  /** What the collector writes next; undefined at its end. */
  next(): Promise<Uint8Array | undefined>;
  send(bytes: Uint8Array): Promise<void>;
  /** Closes the connection: its output ends, and the collector ends what runs when it notices. */
  hangUp(): void;
  /** The collector's last words on its stderr. */
  complaint(): string;
  /** What the kernel counts; the last that was seen when the container is gone. */
  figures(): Promise<CgroupFigures>;
  /** The memory that it holds. */
  memoryBytes(): number;
  /** What the kernel holds for its sockets beside that. */
  socketBytes(): number;
  /** Waits for the end of all its processes, at most so long; false where some are left. */
  gone(withinMs: number): Promise<boolean>;
  /** How it ended; undefined while it runs. */
  death(): Promise<Death | undefined>;
  /**
   * Leaves nothing in it that could ever run again, without the daemon's noticing, who would tidy up at once: nothing but
   * the collector, frozen and to be killed. False where that cannot be had, and it must be killed.
   */
  rest(): Promise<boolean>;
  /** Has the kernel kill what runs in it, where this process may; `gone` tells. */
  strike(): void;
  /** Kills what runs in it and resolves when no process is left. */
  kill(): Promise<void>;
  /** Removes what is left of it: container and cgroup. */
  remove(): Promise<void>;
}

export interface CellDeps {
  readonly daemon: Daemon;
  /** Whether the daemon's kernel counts what lies in sockets as memory of their container. */
  readonly countsSockets: boolean;
  readonly labels: Readonly<Record<string, string>>;
  /** What the cgroups of this driver's containers start with; undefined where they are out of its reach. */
  readonly cgroupPrefix: string | undefined;
  /** For tests of the tests: takes measures away. */
  readonly weaken?: (body: CreateBody) => CreateBody;
}

interface Inspected {
  readonly State?: { readonly Pid?: number; readonly ExitCode?: number; readonly OOMKilled?: boolean };
}

/** Starts a container of the class; faults `sandbox.fault` where it does not start as it was asked to. */
export async function startCell(deps: CellDeps, wanted: CellClass): Promise<Cell> {
  const { daemon } = deps;
  const parent = deps.cgroupPrefix === undefined ? undefined : deps.cgroupPrefix + randomBytes(8).toString('hex');
  const cgroupParent = parent === undefined ? {} : { cgroupParent: `/${parent}` };
  const whole = createBody(wanted, { labels: deps.labels, ...cgroupParent });
  const body = deps.weaken?.(whole) ?? whole;
  const id = await create(daemon, body);
  const remove = async () => {
    await forced(daemon, id);
    if (parent !== undefined) removeCgroup(parent);
  };
  try {
    const attachment = await daemon.attach(id);
    await daemon.call('POST', `/containers/${id}/start`);
    const found = (await daemon.call('GET', `/containers/${id}/json`)) as Inspected;
    const unlike = differences(body, found);
    if (unlike.length > 0) throw new Error(`the container is not as it was asked for: ${unlike.join(', ')}`);
    const pid = found.State?.Pid ?? 0;
    const group = cgroupOf(pid);
    // gVisor's sockets are its own memory, which counts; those of the host's kernel only do where they have a bound.
    const bounded = group ? group.boundSockets(bounds.socketBytes) : deps.countsSockets;
    if (wanted.runtime === 'runc' && pid > 0 && !bounded) {
      throw new Error('the memory of its sockets cannot be bounded: under cgroup v1 that takes root on its machine');
    }
    return cellOf({ daemon, id, class: wanted, attachment, pid, group, parent, remove });
  } catch (error) {
    await remove();
    const { message } = error as Error;
    throw new Fault('sandbox.fault', message.slice(0, bounds.complaintChars), { cause: error, retry: true });
  }
}

async function create(daemon: Daemon, { Image, Config, HostConfig }: CreateBody): Promise<string> {
  try {
    const made = await daemon.call('POST', '/containers/create', { Image, ...Config, HostConfig });
    return (made as { readonly Id: string }).Id;
  } catch (error) {
    if (!(error instanceof DaemonError)) throw error;
    // What the daemon calls a bad request is one that this machine cannot hold: more processors than it has.
    if (error.status === 400) throw refuse('sandbox.refused', error.message.slice(0, bounds.complaintChars));
    throw new Fault('sandbox.fault', error.message.slice(0, bounds.complaintChars), { cause: error, retry: true });
  }
}

interface Started {
  readonly daemon: Daemon;
  readonly id: string;
  readonly class: CellClass;
  readonly attachment: Attachment;
  readonly pid: number;
  readonly group: Cgroup | undefined;
  readonly parent: string | undefined;
  readonly remove: () => Promise<void>;
}

const nothing: CgroupFigures = { cpuMs: 0, peakBytes: 0, oomKills: 0, pidsRefused: 0 };

function cellOf(started: Started): Cell {
  const { daemon, id, group, parent, pid } = started;
  const { socket } = started.attachment;
  socket.on('error', () => {});
  const stream = outputOf(started.attachment);
  let first: Promise<IteratorResult<Uint8Array>> | undefined;
  let last = nothing;
  const note = (now: CgroupFigures | undefined) => {
    if (now) {
      last = {
        cpuMs: Math.max(last.cpuMs, now.cpuMs),
        peakBytes: Math.max(last.peakBytes, now.peakBytes),
        oomKills: Math.max(last.oomKills, now.oomKills),
        pidsRefused: Math.max(last.pidsRefused, now.pidsRefused),
      };
    }
    return last;
  };
  return {
    id,
    class: started.class,
    ahead: started.class.ahead.length > 0,
    pid,
    complaint: stream.complaint,
    async ready() {
      first ??= stream.output.next();
      return (await first).done !== true;
    },
    alive: () => !socket.destroyed && group?.processes()?.length !== 0,
    async next() {
      const held = first;
      first = undefined;
      const { value, done } = await (held ?? stream.output.next());
      return done === true ? undefined : value;
    },
    send: (bytes) => written(socket, bytes),
    hangUp: () => void socket.destroy(),
    async figures() {
      if (!group) return note(await statistics(daemon, id));
      note(group.figures());
      return note(parent === undefined ? undefined : cgroupNamed(parent).figures());
    },
    memoryBytes: () => group?.memoryBytes() ?? 0,
    socketBytes: () => group?.socketBytes() ?? 0,
    gone: (withinMs) =>
      within(withinMs, async () => (group ? !isPopulated(group) : (await dead(daemon, id)) !== undefined)),
    death: () => dead(daemon, id),
    rest: async () => group !== undefined && resting(started, group),
    strike: () => group?.kill(),
    async kill() {
      socket.destroy();
      await forced(daemon, id);
    },
    async remove() {
      socket.destroy();
      group?.kill();
      // What is dead already the daemon need not start programs to kill.
      if (group && (await within(bounds.leaveMs, async () => !isPopulated(group)))) await noticed(daemon, id);
      await started.remove();
    },
  };
}

async function resting({ class: { runtime }, pid, parent }: Started, group: Cgroup): Promise<boolean> {
  // Whoever removes it after a crash can thaw gVisor only by the name of its group.
  if (runtime === 'runsc' && parent === undefined) return false;
  let frozen = group.freeze();
  const began = performance.now();
  while (frozen === false && performance.now() < began + bounds.freezeMs) {
    // What waits is frozen sooner than a timer could tell.
    await (performance.now() < began + 1 ? soon() : pause(1));
    frozen = group.freeze();
  }
  if (frozen !== true || group.memoryBytes() > bounds.restingBytes) return false;
  if (runtime === 'runsc') return group.condemn();
  const [first, ...others] = group.processes() ?? [];
  if (first !== pid || others.length > 0) return false;
  group.condemn();
  return true;
}

function isPopulated(group: Cgroup): boolean {
  return (group.processes() ?? []).length > 0;
}

function written(socket: Socket, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve) => {
    // A container that hung up is reported by its ending, not by its pipe.
    if (socket.destroyed) resolve();
    else socket.write(bytes, () => resolve());
  });
}

async function forced(daemon: Daemon, id: string): Promise<void> {
  try {
    await daemon.call('DELETE', `/containers/${id}?force=1&v=1`);
  } catch (error) {
    if (!(error instanceof DaemonError) || error.status !== 404) throw error;
  }
}

/** Waits until the daemon knows that the container has ended; what is wrong with it the removal says. */
async function noticed(daemon: Daemon, id: string): Promise<void> {
  await daemon.call('POST', `/containers/${id}/wait`).catch(() => undefined);
}

/** Without a cgroup in reach the daemon's own reading must do. */
async function statistics(daemon: Daemon, id: string): Promise<CgroupFigures | undefined> {
  interface Statistics {
    readonly cpu_stats?: { readonly cpu_usage?: { readonly total_usage?: number } };
    readonly memory_stats?: { readonly max_usage?: number; readonly usage?: number };
  }
  try {
    const path = `/containers/${id}/stats?stream=false&one-shot=true`;
    const { cpu_stats: cpu, memory_stats: memory } = (await daemon.call('GET', path)) as Statistics;
    const cpuMs = Math.round((cpu?.cpu_usage?.total_usage ?? 0) / 1e6);
    return { ...nothing, cpuMs, peakBytes: memory?.max_usage ?? memory?.usage ?? 0 };
  } catch {
    return undefined;
  }
}

async function dead(daemon: Daemon, id: string): Promise<Death | undefined> {
  const { State: state } = (await daemon.call('GET', `/containers/${id}/json`)) as Inspected;
  if (state?.Pid !== 0) return undefined;
  return { exitCode: state.ExitCode ?? 0, outOfMemory: state.OOMKilled === true };
}

async function within(ms: number, holds: () => Promise<boolean>): Promise<boolean> {
  const until = performance.now() + ms;
  while (!(await holds())) {
    if (performance.now() >= until) return false;
    await pause(3);
  }
  return true;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
