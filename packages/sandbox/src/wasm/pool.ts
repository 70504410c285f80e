/**
 * Processes that wait started, so that a unit need not wait for its interpreter. Each serves one unit and dies; the next
 * is started in the background, one at a time, so that filling up never takes more than a core from the units.
 */

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
  const startUntilFull = async (key: Key) => {
    for (let failures = 0; lacks(key) && failures < mostFailures;) {
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
      const [idle, ...rest] = waiting.get(key) ?? [];
      waiting.set(key, rest);
      if (lacks(key)) void fill(key);
      return idle;
    },
    async close() {
      isClosed = true;
      await filling;
      const all = [...waiting.values()].flat();
      waiting.clear();
      await Promise.all(all.map(drop));
    },
  };
}
