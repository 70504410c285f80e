import { expect, test } from 'vitest';
import { openTurns } from './turns.ts';

test('the next peer is taken once for each failure', () => {
  const turns = openTurns([true, false]);
  const seen = turns.turn;
  turns.failOver(seen);
  turns.failOver(seen);
  expect([turns.index, turns.isOwn]).toEqual([1, false]);
  turns.failOver(turns.turn);
  expect([turns.index, turns.isOwn]).toEqual([0, true]);
});

test('an own peer that answers is taken again, and under a new number', async () => {
  const turns = openTurns([true, true, false, false]);
  turns.failOver(0);
  turns.failOver(1);
  expect(turns.isOwn).toBe(false);
  expect(await turns.goHome(async () => false)).toBe(false);
  expect([turns.index, turns.turn]).toEqual([2, 2]);
  expect(await turns.goHome(async (index) => index === 1)).toBe(true);
  expect([turns.index, turns.isOwn, turns.turn]).toEqual([1, true, 5]);
});

test('at home there is nowhere to go', async () => {
  const turns = openTurns([true, true]);
  turns.failOver(0);
  expect(await turns.goHome(async () => true)).toBe(true);
  expect(turns.index).toBe(1);
});

test('who has no peer takes others’ as they come', async () => {
  const turns = openTurns([false, false]);
  expect([turns.isOwn, await turns.goHome(async () => true)]).toEqual([true, false]);
});
