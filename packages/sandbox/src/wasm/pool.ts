/**
 * Processes that wait started, so that a unit need not wait for its interpreter. Each serves one unit and dies; the next
 * is started in the background, one at a time, and not while units are being handed out in quick succession: filling up
 * takes a core, which short units had better have for themselves.
 */

import { limits } from '@assay/core';
import type { IdleChild } from './idle-child.ts';

export interface PoolBounds {
  /** Processes that wait for each language that was asked for. */
  readonly cells: number;
  /** What all of them together may hold. */
  readonly memoryBytes: number;
}

export interface Pool<Key> {
  /** A process that waits; from here on it is the caller's. Another is started in its place. */
  take(key: Key): IdleChild | undefined;
  /** Resolves when as many wait as may, or when no more can be started. */
  fill(key: Key): Promise<void>;
  /** Ends all that wait, and starts no more. */
  close(): Promise<void>;
}

/** Attempts in a row after which a language is left alone until it is asked for again. */
const mostFailures = 3;

export interface PoolDeps<Key> extends PoolBounds {
  start(key: Key): Promise<IdleChild>;
  /** What a waiting process holds. */
  bytesOf(key: Key): number;
  /** Told why a process did not start. */
  note(text: string): void;
}

async function drop(idle: IdleChild): Promise<void> {
  await idle.child.destroy();
  await idle.folder.remove();
}

export function warmPool<Key>(deps: PoolDeps<Key>): Pool<Key> {
  const waiting = new Map<Key, IdleChild[]>();
  let isClosed = false;
  let filling: Promise<void> = Promise.resolve();
  let takenAt = Number.NEGATIVE_INFINITY;
  const closing = Promise.withResolvers<'closed'>();

  const held = () => [...waiting].reduce((total, [key, idle]) => total + idle.length * deps.bytesOf(key), 0);
  const lacks = (key: Key) =>
    !isClosed && (waiting.get(key)?.length ?? 0) < deps.cells && held() + deps.bytesOf(key) <= deps.memoryBytes;
  const keep = (key: Key, idle: IdleChild) => {
    const idles = waiting.get(key) ?? [];
    waiting.set(key, [...idles, idle]);
    // One that dies while it waits is nobody's loss.
    void idle.child.ended.then(() => {
      const left = (waiting.get(key) ?? []).filter((other) => other !== idle);
      if (left.length === waiting.get(key)?.length) return undefined;
      waiting.set(key, left);
      return drop(idle);
    });
  };
  /** Until no process was handed out for a while; not for ever where units come all the time. */
  const rest = async () => {
    const latest = performance.now() + limits.sandboxRefillMaxMs;
    for (;;) {
      const left = Math.min(takenAt + limits.sandboxRefillRestMs, latest) - performance.now();
      if (left <= 0) return;
      if ((await Promise.race([closing.promise, pause(left)])) === 'closed') return;
    }
  };
  const startUntilFull = async (key: Key) => {
    for (let failures = 0; lacks(key) && failures < mostFailures;) {
      await rest();
      if (!lacks(key)) return;
      try {
        const idle = await deps.start(key);
        if (isClosed) await drop(idle);
        else keep(key, idle);
      } catch (error) {
        failures += 1;
        deps.note(`a sandbox that should wait did not start: ${(error as Error).message}`);
      }
    }
  };
  const fill = (key: Key) => {
    filling = filling.then(() => startUntilFull(key));
    return filling;
  };
  return {
    fill,
    take(key) {
      const [idle, ...others] = waiting.get(key) ?? [];
      waiting.set(key, others);
      takenAt = performance.now();
      if (lacks(key)) void fill(key);
      return idle;
    },
    async close() {
      isClosed = true;
      closing.resolve('closed');
      await filling;
      const all = [...waiting.values()].flat();
      waiting.clear();
      await Promise.all(all.map(drop));
    },
  };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
