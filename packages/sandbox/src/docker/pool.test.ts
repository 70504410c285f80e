import { describe, expect, it } from 'vitest';
import { bounds } from './bounds.ts';
import type { Cell } from './cell.ts';
import type { CellClass } from './container-body.ts';
import { poolOf } from './pool.ts';

const classOf = (memoryBytes: number): CellClass => ({
  runtime: 'runc',
  image: 'sha256:a',
  memoryBytes,
  cpuCores: 1,
  tmpfsBytes: 1,
  tmpfsFiles: 1,
  fileBytes: 1,
  connects: false,
  ahead: [],
});

function poolWith(bound: { readonly cells: number; readonly memoryBytes: number }) {
  const started: Cell[] = [];
  const dropped: Cell[] = [];
  const dead = new Set<Cell>();
  const state = { ready: true, waited: 0 };
  const pool = poolOf({
    ...bound,
    async start(wanted) {
      const cell = { class: wanted, ready: async () => state.ready, alive: () => !dead.has(cell) } as unknown as Cell;
      started.push(cell);
      return cell;
    },
    drop: (cell) => dropped.push(cell),
    quiet: async () => {
      state.waited += 1;
    },
  });
  return { pool, started, dropped, dead, state };
}

describe('the pool', () => {
  it('starts what is missing, with the program ahead, and gives each out once', async () => {
    const { pool, started } = poolWith({ cells: 2, memoryBytes: 100 });
    await pool.fill(classOf(10), ['python']);
    expect(started.map((cell) => cell.class.ahead)).toEqual([['python'], ['python']]);
    const taken = [1, 2, 3].map(() => pool.take(classOf(10), ['python']));
    expect(taken).toEqual([started[0], started[1], undefined]);
    await pool.refill();
    expect(started).toHaveLength(4);
  });

  it('gives only containers of exactly the class', async () => {
    const { pool } = poolWith({ cells: 1, memoryBytes: 100 });
    await pool.fill(classOf(10), []);
    expect(pool.take(classOf(11), [])).toBeUndefined();
    expect(pool.take(classOf(10), [])).toBeDefined();
  });

  it('keeps within its memory, and lets the class go that was used the longest ago', async () => {
    const { pool, started, dropped } = poolWith({ cells: 2, memoryBytes: 50 });
    await pool.fill(classOf(10), []);
    await pool.fill(classOf(20), []);
    expect(dropped).toEqual([started[0], started[1]]);
    expect(pool.take(classOf(10), [])).toBeUndefined();
    expect(pool.take(classOf(20), [])).toBe(started[2]);
    await pool.fill(classOf(60), []);
    expect(pool.take(classOf(60), [])).toBeUndefined();
  });

  it('counts a container by what it holds while it waits, not by what its unit may', async () => {
    const { pool, started } = poolWith({ cells: 4, memoryBytes: 3 * bounds.idleBytes.runc });
    await pool.fill(classOf(1024 ** 4), []);
    expect(started).toHaveLength(3);
  });

  it('never holds more than the kernel has keyrings for', async () => {
    const { pool, started, dropped } = poolWith({ cells: bounds.poolCells, memoryBytes: 1e12 });
    await pool.fill(classOf(10), []);
    await pool.fill(classOf(20), []);
    expect(started.length - dropped.length).toBe(bounds.poolCells);
  });

  it('stands back from units when it fills up again, and not when somebody waits for it', async () => {
    const { pool, started, state } = poolWith({ cells: 3, memoryBytes: 100 });
    await pool.fill(classOf(10), []);
    expect(started).toHaveLength(3);
    expect(state.waited).toBe(0);
    pool.take(classOf(10), []);
    await pool.refill();
    expect(started).toHaveLength(4);
    expect(state.waited).toBeGreaterThan(0);
  });

  it('passes over containers that died while they waited, and those that never got ready', async () => {
    const { pool, started, dropped, dead, state } = poolWith({ cells: 2, memoryBytes: 100 });
    await pool.fill(classOf(10), []);
    if (started[0]) dead.add(started[0]);
    expect(pool.take(classOf(10), [])).toBe(started[1]);
    expect(dropped).toEqual([started[0]]);
    state.ready = false;
    await pool.refill();
    expect(started).toHaveLength(3);
    expect(pool.take(classOf(10), [])).toBeUndefined();
  });

  it('remembers a few classes only', async () => {
    const { pool, dropped } = poolWith({ cells: 1, memoryBytes: 10_000 });
    await pool.fill(classOf(1), []);
    for (let memory = 2; memory <= bounds.poolClasses + 1; memory += 1) pool.take(classOf(memory), []);
    expect(dropped).toHaveLength(1);
  });

  it('is empty when it is closed, and stays so', async () => {
    const { pool, started, dropped } = poolWith({ cells: 3, memoryBytes: 100 });
    const filling = pool.fill(classOf(10), []);
    await pool.close();
    await filling;
    expect(dropped).toEqual(started);
    await pool.fill(classOf(10), []);
    expect(dropped).toEqual(started);
  });
});
