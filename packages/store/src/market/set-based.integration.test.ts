import * as fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { testDatabase, type TestDatabase } from '../testing.ts';
import { rowSet } from './set-based.ts';

interface Row {
  readonly name: string | null;
  readonly json: unknown;
  readonly small: number | null;
  readonly big: bigint | null;
  readonly yes: boolean | null;
}

const rowsOfTest = rowSet<Row>({
  name: ['text', (one) => one.name],
  json: ['jsonb', (one) => JSON.stringify(one.json)],
  small: ['smallint', (one) => one.small],
  big: ['bigint', (one) => one.big],
  yes: ['bool', (one) => one.yes],
});

let at: TestDatabase;
beforeAll(async () => {
  at = await testDatabase();
});
afterAll(() => at.drop());

const readBack = (rows: readonly Row[]): Promise<Row[]> =>
  at.db.query<Row>(
    { name: 'test_rows', text: `SELECT name, json, small, big, yes FROM ${rowsOfTest.table(1)} AS one` },
    rowsOfTest.values(rows),
  );

// PostgreSQL stores no NUL and no half of a surrogate pair.
const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }).filter((one) => !one.includes('\0') && one.isWellFormed()),
  fc.constantFrom('', 'null', 'NULL', '{}', ',', '"', '\\', ' x ', 'ü', '🦆', 'a'.repeat(300), 'ß'.repeat(5000)),
);
const row = fc.record<Row>({
  name: fc.option(text),
  // No objects: Node 24.21 reads some keys of escapes wrongly, as in {"":0,"\"":0}.
  json: fc.oneof(text, fc.array(text), fc.constant(null)),
  small: fc.option(fc.integer({ min: -32768, max: 32767 })),
  big: fc.option(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })),
  yes: fc.option(fc.boolean()),
});

it('brings any rows to a statement as they are, in their order', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(row, { maxLength: 20 }), async (rows) => {
      expect(await readBack(rows)).toEqual(rows);
    }),
  );
});
