import { testDatabase, type TestDatabase } from '@assay/store/testing';
import * as fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bigintArray, bytesArray, integerArray, smallArray, textArray } from './binary-arrays.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database.drop());

/** What the database reads, as text. */
async function readBack(type: string, array: Buffer): Promise<string> {
  const [row] = await database.db.query<{ json: string }>(
    `SELECT to_json(ARRAY(SELECT x::text FROM unnest($1::${type}[]) WITH ORDINALITY AS t (x, n) ORDER BY n))::text AS json`,
    [array],
  );
  return JSON.stringify(JSON.parse(row?.json ?? ''));
}

const few = { maxLength: 30 };
const text = fc.string({ unit: 'grapheme', maxLength: 40 }).filter((one) => !one.includes('\0') && one.isWellFormed());

test('the database reads what was written, of every type and any length', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.option(text), few),
      fc.array(text, few),
      fc.array(fc.integer({ min: -32768, max: 32767 }), few),
      fc.array(fc.integer(), few),
      fc.array(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), few),
      async (texts, keys, smalls, integers, bigints) => {
        expect(await readBack('text', textArray(texts))).toBe(JSON.stringify(texts));
        const hex = keys.map((key) => `\\x${Buffer.from(key).toString('hex')}`);
        expect(await readBack('bytea', bytesArray(keys))).toBe(JSON.stringify(hex));
        expect(await readBack('smallint', smallArray(smalls))).toBe(JSON.stringify(smalls.map(String)));
        expect(await readBack('integer', integerArray(integers))).toBe(JSON.stringify(integers.map(String)));
        expect(await readBack('bigint', bigintArray(bigints))).toBe(JSON.stringify(bigints.map(String)));
      },
    ),
    { numRuns: 20 },
  );
});
