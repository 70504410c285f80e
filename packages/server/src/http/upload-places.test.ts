import { describe, expect, test } from 'vitest';
import { uploadPlaces } from './upload-places.ts';

describe('places for uploads', () => {
  test('are few for one account, bounded for all, and free again however an upload ends', async () => {
    const places = uploadPlaces(2, 3);
    const ends = Array.from({ length: 3 }, () => Promise.withResolvers<void>());
    const hold = (account: string, index: number) => places(account, () => ends[index]?.promise ?? Promise.resolve());
    const held = [hold('eve', 0), hold('eve', 1)];
    await expect(places('eve', async () => 1)).rejects.toMatchObject({ code: 'request.rate_limited' });
    held.push(hold('carol', 2));
    await expect(places('dora', async () => 1)).rejects.toMatchObject({ code: 'request.rate_limited' });
    ends[0]?.reject(new Error('broken off'));
    ends[1]?.resolve();
    ends[2]?.resolve();
    expect((await Promise.allSettled(held)).map(({ status }) => status)).toEqual([
      'rejected',
      'fulfilled',
      'fulfilled',
    ]);
    expect(
      await Promise.all([places('eve', async () => 1), places('eve', async () => 2), places('dora', async () => 3)]),
    ).toEqual([1, 2, 3]);
  });
});
