import { parseId, type UnitId } from '@assay/core';
import { describe, expect, test } from 'vitest';
import { createLanes, type Laned } from './tick-lanes.ts';

function unit(index: number): UnitId {
  const id: UnitId | undefined = parseId('unit', `unt_${String(index).padStart(32, '0')}`);
  if (id === undefined) throw new Error('an id');
  return id;
}

const [first, second, third] = [unit(1), unit(2), unit(3)];
const about = (...units: UnitId[]): Laned => ({ units });

describe('ticks side by side', () => {
  test('never work on one unit, and know what the others work on', () => {
    const lanes = createLanes();
    const queue = [about(first, second), about()];
    const one = lanes.board(queue);
    const waiting = about(second, third);
    const other = lanes.board([waiting, about(third)]);
    expect(other).toEqual([about(third)]);
    expect(lanes.beside(one)).toEqual([third]);
    expect(lanes.beside(other)).toEqual([first, second]);
    lanes.leave(one);
    expect(lanes.beside(other)).toEqual([]);
    lanes.leave(other);
    expect(lanes.board([waiting])).toEqual([waiting]);
  });

  test('keep away from what a look at the pool has locked until it is let go', () => {
    const lanes = createLanes();
    const free = lanes.occupy([first]);
    expect(lanes.board([about(first)])).toEqual([]);
    free();
    expect(lanes.board([about(first)])).toHaveLength(1);
  });
});
