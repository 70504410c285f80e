import { afterAll, beforeAll, expect, test } from 'vitest';
import { dumpSchema } from './schema-dump.setup.ts';
import { testDatabase, type TestDatabase } from './testing.ts';

let at: TestDatabase;
beforeAll(async () => {
  at = await testDatabase();
});
afterAll(() => at.drop());

test('the migrated schema is the one that was committed', async () => {
  await expect(await dumpSchema(at.owner)).toMatchFileSnapshot('../schema.sql');
});

test('every function pins its search path or is a plain expression', async () => {
  const loose = await at.owner.query(
    `SELECT proname FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
     WHERE pronamespace = 'public'::regnamespace AND l.lanname = 'plpgsql'
       AND NOT coalesce(array_to_string(proconfig, ' ') LIKE '%search_path=pg_catalog, public, pg_temp%', false)`,
  );
  expect(loose).toEqual([]);
});

test('the role of the programs owns nothing and may change no history', async () => {
  const owned = await at.owner.query(
    `SELECT relname FROM pg_class WHERE relowner = 'assay_app'::regrole UNION ALL
     SELECT proname FROM pg_proc WHERE proowner = 'assay_app'::regrole`,
  );
  expect(owned).toEqual([]);
  const rights = await at.owner.query(
    `SELECT t AS table, p AS privilege FROM unnest(ARRAY['posting', 'journal_entry', 'audit_log', 'money_flow', 'escrow_edge', 'currency']) AS t,
       unnest(ARRAY['UPDATE', 'DELETE', 'TRUNCATE', 'TRIGGER', 'REFERENCES']) AS p
     WHERE has_table_privilege('assay_app', t, p) OR (p IN ('UPDATE') AND has_any_column_privilege('assay_app', t, p))`,
  );
  expect(rights).toEqual([]);
});
