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
  filling: Promise<void> | undefined;
}

export function poolOf(deps: PoolDeps): Pool {
  /** The last used class comes last. */
  const shelves = new Map<string, Shelf>();
  let closed = false;
  const shelfOf = (wanted: CellClass, ahead: readonly string[]): Shelf => {
    const key = JSON.stringify(wanted);
    const shelf = shelves.get(key) ?? { class: { ...wanted, ahead }, cells: [], filling: undefined };
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
  const fits = (shelf: Shelf) => {
    const held = [...shelves.values()].reduce((sum, one) => sum + one.cells.length * one.class.memoryBytes, 0);
    return held + shelf.class.memoryBytes <= deps.memoryBytes;
  };
  const add = async (shelf: Shelf): Promise<boolean> => {
    while (!fits(shelf)) if (!forgetOldest(shelf)) return false;
    const cell = await deps.start(shelf.class);
    const ready = await cell.ready();
    if (ready && isKept(shelf)) shelf.cells.push(cell);
    else deps.drop(cell);
    return ready;
  };
  const filled = (shelf: Shelf): Promise<void> => {
    const fill = async () => {
      while (isKept(shelf) && shelf.cells.length < deps.cells && (await add(shelf))) await deps.quiet();
    };
    shelf.filling ??= fill().finally(() => {
      shelf.filling = undefined;
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
    fill: (wanted, ahead) => filled(shelfOf(wanted, ahead)),
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
