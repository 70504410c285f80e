/** Containers that wait, started, for a unit of the limits that they have. Each serves one unit. */

import { bounds } from './bounds.ts';
import type { Cell } from './cell.ts';
import type { CellClass } from './container-body.ts';

export interface Pool {
  /** A waiting container of the class, if there is one; the class is remembered, so that the next unit finds one. */
  take(wanted: CellClass, ahead: readonly string[]): Cell | undefined;
  /** Starts what is missing of the class; resolves when it is there or does not fit. */
  fill(wanted: CellClass, ahead: readonly string[]): Promise<void>;
  /** The same for every class that is remembered. */
  refill(): Promise<void>;
  close(): Promise<void>;
}

export interface PoolDeps {
  /** How many of each class, and how much memory the waiting ones may come to. */
  readonly cells: number;
  readonly memoryBytes: number;
  start(wanted: CellClass): Promise<Cell>;
  drop(cell: Cell): void;
  /** Resolves when there is time for work that nobody waits for. */
  quiet(): Promise<void>;
}

interface Shelf {
  readonly class: CellClass;
  readonly cells: Cell[];
  /** Those that are not ready yet. */
  starting: number;
  /** Whether somebody waits until it is full. */
  urgent: boolean;
  filling: Promise<unknown> | undefined;
}

function emptyShelf(wanted: CellClass): Shelf {
  return { class: wanted, cells: [], starting: 0, urgent: false, filling: undefined };
}

/** Whether another container of the shelf's class may wait. */
function fits(shelf: Shelf, all: Iterable<Shelf>, memoryBytes: number): boolean {
  const bytes = (one: Shelf) => Math.min(one.class.memoryBytes, bounds.idleBytes[one.class.runtime]);
  let cells = 1;
  let held = bytes(shelf);
  for (const one of all) {
    cells += one.cells.length + one.starting;
    held += (one.cells.length + one.starting) * bytes(one);
  }
  return cells <= bounds.poolCells && held <= memoryBytes;
}

export function poolOf(deps: PoolDeps): Pool {
  /** The last used class comes last. */
  const shelves = new Map<string, Shelf>();
  let closed = false;
  const shelfOf = (wanted: CellClass, ahead: readonly string[]): Shelf => {
    const key = JSON.stringify(wanted);
    const shelf = shelves.get(key) ?? emptyShelf({ ...wanted, ahead });
    shelves.delete(key);
    shelves.set(key, shelf);
    return shelf;
  };
  const isKept = (shelf: Shelf) => !closed && [...shelves.values()].includes(shelf);
  const forgetOldest = (besides?: Shelf): boolean => {
    const [key, shelf] = [...shelves].find(([, one]) => one !== besides) ?? [];
    if (key === undefined || !shelf) return false;
    shelves.delete(key);
    for (const cell of shelf.cells.splice(0)) deps.drop(cell);
    return true;
  };
  const lacks = (shelf: Shelf) => isKept(shelf) && shelf.cells.length + shelf.starting < deps.cells;
  const add = async (shelf: Shelf): Promise<boolean> => {
    while (!fits(shelf, shelves.values(), deps.memoryBytes)) if (!forgetOldest(shelf)) return false;
    shelf.starting += 1;
    try {
      const cell = await deps.start(shelf.class);
      const ready = await cell.ready();
      if (ready && isKept(shelf)) shelf.cells.push(cell);
      else deps.drop(cell);
      return ready;
    } finally {
      shelf.starting -= 1;
    }
  };
  const filled = (shelf: Shelf): Promise<unknown> => {
    const fill = async () => {
      for (;;) {
        if (!shelf.urgent) await deps.quiet();
        if (!lacks(shelf) || !(await add(shelf))) return;
      }
    };
    shelf.filling ??= Promise.all(Array.from({ length: shelf.urgent ? bounds.starts : 1 }, fill)).finally(() => {
      shelf.filling = undefined;
      shelf.urgent = false;
    });
    return shelf.filling;
  };
  return {
    take(wanted, ahead) {
      const shelf = shelfOf(wanted, ahead);
      while (shelves.size > bounds.poolClasses) forgetOldest(shelf);
      for (let cell = shelf.cells.shift(); cell; cell = shelf.cells.shift()) {
        if (cell.alive()) return cell;
        deps.drop(cell);
      }
      return undefined;
    },
    async fill(wanted, ahead) {
      const shelf = shelfOf(wanted, ahead);
      shelf.urgent = true;
      await filled(shelf);
    },
    async refill() {
      await Promise.all([...shelves.values()].map(filled));
    },
    async close() {
      closed = true;
      await Promise.allSettled([...shelves.values()].map(async ({ filling }) => filling));
      while (forgetOldest());
    },
  };
}
