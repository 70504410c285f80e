/** New blocks for those who watch: one look at the chain per server, however many watch. */

import { limits, refuse } from '@assay/core';
import { blocksAfter, listBlocks, type BlockSummary } from '@assay/ledger';
import type { Database } from '@assay/store';

/** A watcher's place in the chain. */
export interface BlockWatcher {
  /** Blocks in order, none twice and none missing, until closed. */
  items(): AsyncGenerator<readonly BlockSummary[]>;
  close(): void;
}

export interface BlockHub {
  /** Watches from after a block, or from now. Refuses `request.rate_limited` beyond `limits.eventStreams`. */
  watch(after?: bigint): Promise<BlockWatcher>;
  close(): Promise<void>;
}

interface State {
  /** The newest blocks, oldest first: what watchers that keep up are told from. */
  recent: readonly BlockSummary[];
  next: PromiseWithResolvers<void>;
  closed: boolean;
}

/** Opens the hub; it looks at the chain only while somebody watches. */
export function openBlockHub(db: Database, onProblem: (error: unknown) => void): BlockHub {
  const state: State = { recent: [], next: Promise.withResolvers(), closed: false };
  const watchers = new Set<BlockWatcher>();
  let looking: { stop(): Promise<void> } | undefined;
  const leave = async (watcher: BlockWatcher): Promise<void> => {
    watchers.delete(watcher);
    if (watchers.size > 0) return;
    const last = looking;
    looking = undefined;
    await last?.stop();
  };
  return {
    async watch(after) {
      if (watchers.size >= limits.eventStreams) throw refuse('request.rate_limited', 'too many event streams', {});
      const [newest] = await listBlocks(db, null, 1);
      const stop = { asked: false };
      const watcher: BlockWatcher = {
        items: () => follow(db, state, stop, after ?? newest?.number ?? -1n),
        close() {
          stop.asked = true;
          void leave(watcher);
          wake(state);
        },
      };
      watchers.add(watcher);
      looking ??= look(db, state, onProblem);
      return watcher;
    },
    async close() {
      state.closed = true;
      wake(state);
      watchers.clear();
      const last = looking;
      looking = undefined;
      await last?.stop();
    },
  };
}

function wake(state: State): void {
  state.next.resolve();
  state.next = Promise.withResolvers();
}

/** Reads new blocks when a fact is told of, and by a timer for those without facts. */
function look(db: Database, state: State, onProblem: (error: unknown) => void): { stop(): Promise<void> } {
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> = Promise.resolve();
  const read = async (): Promise<void> => {
    const last = state.recent.at(-1)?.number;
    const found = last === undefined ? await newestOf(db) : await blocksAfter(db, last, limits.pageItems);
    if (found.length === 0) return;
    state.recent = [...state.recent, ...found].slice(-limits.pageItems);
    wake(state);
  };
  const again = (): void => {
    clearTimeout(timer);
    if (stopped) return;
    running = running.then(read).catch(onProblem);
    timer = setTimeout(again, limits.ledgerFollowMs);
  };
  const listening = db.listen('ledger_fact', again);
  listening.catch(onProblem);
  again();
  return {
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await listening.then(
        (subscription) => subscription.close(),
        () => undefined,
      );
      await running;
      // What comes while nobody looks would be missing between the blocks that are remembered and the next ones.
      state.recent = [];
    },
  };
}

async function newestOf(db: Database): Promise<BlockSummary[]> {
  return (await listBlocks(db, null, limits.pageItems)).toReversed();
}

async function* follow(
  db: Database,
  state: State,
  stop: { readonly asked: boolean },
  after: bigint,
): AsyncGenerator<readonly BlockSummary[]> {
  let last = after;
  while (!stop.asked && !state.closed) {
    const { promise } = state.next;
    const blocks = await afterIn(db, state.recent, last);
    if (blocks.length === 0) await promise;
    else {
      last = blocks.at(-1)?.number ?? last;
      yield blocks;
    }
  }
}

/** From memory where it reaches back far enough, else from the database. */
async function afterIn(db: Database, recent: readonly BlockSummary[], last: bigint): Promise<readonly BlockSummary[]> {
  const [first] = recent;
  if (first === undefined) return [];
  if (first.number <= last + 1n) return recent.filter((block) => block.number > last);
  return blocksAfter(db, last, limits.pageItems);
}
