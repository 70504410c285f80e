import { describe, expect, it } from 'vitest';
import { provenBreach, type BreachReport } from './breach.ts';
import type { AccountId, WorkerId } from './ids.ts';

const report = (n: number, changes: Partial<BreachReport> = {}): BreachReport => ({
  worker: `wrk_${n}` as WorkerId,
  owner: `acc_${n}` as AccountId,
  payoutAccount: `pay_${n}`,
  hub: null,
  networkBlock: `10.0.${n}`,
  what: 'a sealed import was called',
  ...changes,
});

describe('a breach', () => {
  it('is proven by two workers that share no party and say the same', () => {
    expect(provenBreach([report(1), report(2)])).toBe('a sealed import was called');
    expect(provenBreach([report(1), report(1), report(3)])).toBe('a sealed import was called');
    expect(provenBreach([report(1, { networkBlock: null }), report(2, { networkBlock: null })])).toBeDefined();
  });

  it.each<[string, BreachReport[]]>([
    ['nobody', []],
    ['one worker', [report(1)]],
    ['one worker many times', [report(1), report(1), report(1)]],
    ['two workers of one owner', [report(1), report(2, { owner: report(1).owner })]],
    ['two that are paid to one account', [report(1), report(2, { payoutAccount: report(1).payoutAccount })]],
    ['two of one hub', [report(1, { hub: 'h' }), report(2, { hub: 'h' })]],
    ['two of one network', [report(1), report(2, { networkBlock: report(1).networkBlock })]],
    ['two that say different things', [report(1), report(2, { what: 'other' })]],
  ])('is not proven by %s', (_who, reports) => {
    expect(provenBreach(reports)).toBeUndefined();
  });
});
