import type { TransferRow, TransferState } from '@assay/core';
import { describe, expect, test } from 'vitest';
import { isNews } from './apply-transfer.ts';

const kinds: readonly TransferRow['kind'][] = ['payment', 'refund', 'payout'];
const states: readonly TransferState[] = [
  'queued',
  'pending',
  'requires_action',
  'in_transit',
  'succeeded',
  'canceled',
  'failed',
];
const ended = (state: TransferState) => state === 'canceled' || state === 'failed';
const open = (state: TransferState) => !ended(state) && state !== 'succeeded';

describe('news of a movement', () => {
  test('is every end of an open one', () => {
    for (const kind of kinds)
      for (const from of states.filter(open))
        for (const to of states.filter((state) => !open(state))) expect(isNews(kind, from, to)).toBe(true);
  });

  test('is never an open state after an end', () => {
    for (const kind of kinds)
      for (const from of states.filter((state) => !open(state)))
        for (const to of states.filter(open)) expect(isNews(kind, from, to)).toBe(false);
  });

  test('after success is only that a payout or a refund came back', () => {
    for (const to of states.filter(ended)) {
      expect(isNews('payment', 'succeeded', to)).toBe(false);
      expect(isNews('refund', 'succeeded', to)).toBe(true);
      expect(isNews('payout', 'succeeded', to)).toBe(true);
    }
  });

  test('after failure is only that a payment arrived after all', () => {
    for (const from of states.filter(ended)) {
      expect(isNews('payment', from, 'succeeded')).toBe(true);
      expect(isNews('refund', from, 'succeeded')).toBe(false);
      expect(isNews('payout', from, 'succeeded')).toBe(false);
      for (const kind of kinds) for (const to of states.filter(ended)) expect(isNews(kind, from, to)).toBe(false);
    }
  });

  test('is nothing that we know', () => {
    for (const kind of kinds) for (const state of states) expect(isNews(kind, state, state)).toBe(false);
  });

  test('never goes back', () => {
    for (const kind of kinds) {
      expect(isNews(kind, 'in_transit', 'pending')).toBe(false);
      expect(isNews(kind, 'pending', 'queued')).toBe(false);
      expect(isNews(kind, 'requires_action', 'queued')).toBe(false);
    }
  });
});
