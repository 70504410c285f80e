import { describe, expect, test } from 'vitest';
import { takeTurns } from './turns.ts';

describe('turns', () => {
  test('run a few at once, in order, and refuse when too many wait', async () => {
    const turns = takeTurns(2, 3);
    const log: string[] = [];
    const gates = Array.from({ length: 5 }, () => Promise.withResolvers<void>());
    const runs = gates.map((gate, index) =>
      turns(async () => {
        log.push(`in ${index}`);
        await gate.promise;
        log.push(`out ${index}`);
        if (index === 1) throw new Error('failed');
        return index;
      }).catch(() => -1),
    );
    await expect(turns(async () => 'late')).rejects.toMatchObject({ code: 'request.rate_limited' });
    expect(log).toEqual(['in 0', 'in 1']);
    for (const index of [1, 0, 2, 3, 4]) {
      gates[index]?.resolve();
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(await Promise.all(runs)).toEqual([0, -1, 2, 3, 4]);
    expect(log).toEqual(['in 0', 'in 1', 'out 1', 'in 2', 'out 0', 'in 3', 'out 2', 'in 4', 'out 3', 'out 4']);
    expect(await turns(async () => 'again')).toBe('again');
  });
});
