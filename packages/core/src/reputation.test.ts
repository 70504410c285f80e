import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { newReputation, recordReplica, reputationBounds, slash, type ReputationEvent } from './reputation.ts';

describe('reputation', () => {
  it('rises by one, halves on a lie and falls a little on a loss', () => {
    expect(recordReplica(newReputation, 'agreed')).toEqual({ agreed: 1, disagreed: 0, lost: 0, score: 101 });
    expect(recordReplica(newReputation, 'disagreed')).toEqual({ agreed: 0, disagreed: 1, lost: 0, score: 50 });
    expect(recordReplica(newReputation, 'lost')).toEqual({ agreed: 0, disagreed: 0, lost: 1, score: 95 });
    expect(slash(newReputation).score).toBe(0);
  });

  it('counts every replica once and keeps the score in its bounds', () => {
    const events = fc.array(fc.constantFrom<ReputationEvent>('agreed', 'disagreed', 'lost'), { maxLength: 2000 });
    fc.assert(
      fc.property(events, (past) => {
        const end = past.reduce(recordReplica, newReputation);
        expect(end.agreed + end.disagreed + end.lost).toBe(past.length);
        expect(Number.isInteger(end.score) && end.score >= 0 && end.score <= reputationBounds.max).toBe(true);
      }),
    );
  });

  it('lets a long streak go with a few lies', () => {
    let host = newReputation;
    for (let run = 0; run < 5000; run += 1) host = recordReplica(host, 'agreed');
    for (let lie = 0; lie < 4; lie += 1) host = recordReplica(host, 'disagreed');
    expect(host.score).toBeLessThan(reputationBounds.start);
  });
});
