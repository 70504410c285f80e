import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Tx } from '../database.ts';
import { testDatabase, type TestDatabase } from '../testing.ts';
import { earningBook } from './trade-earnings.ts';

let at: TestDatabase;
const digest = '0'.repeat(64);
beforeAll(async () => {
  at = await testDatabase();
  await at.db.query(
    `INSERT INTO account (id, email, region, roles)
     SELECT 'p_' || n, n || '@example.org', 'eu', '{provider}' FROM generate_series(1, 5000) n`,
  );
  await at.db.query(
    `INSERT INTO payout_account (id, account_id, region, destination) SELECT 'a_' || id, id, 'eu', 'd' || id FROM account`,
  );
  await at.db.query(
    `INSERT INTO job (id, customer_id, name, state, region, manifest, manifest_hash, bundle, bundle_digest, bundle_files,
       bundle_bytes, currency, price_per_replica, cap, redundancy, units_total)
     VALUES ('job_1', 'c_1', 'test', 'completed', 'eu', '{}', $1, '[]', $1, 0, 0, 'USD', 3, 1000, 3, 10)`,
    [digest],
  );
  await at.db.query(
    `INSERT INTO payable (job_id, payee_id, currency, amount, due_at)
     SELECT 'job_1', id, 'USD', 42, assay_now() + CASE WHEN id <= 'p_100' THEN '-1 hour' ELSE '1 hour' END::interval
     FROM account`,
  );
  await at.owner.query('ANALYZE');
});
afterAll(() => at.drop());

const counted = async (tx: Tx): Promise<number> => {
  const [row] = await tx.query<{ rows: number }>(
    `SELECT (seq_tup_read + idx_tup_fetch)::int AS rows FROM pg_stat_xact_user_tables WHERE relname = 'payable'`,
  );
  return row?.rows ?? 0;
};

test('a look for due debts reads them alone, of all that wait', async () => {
  for (let run = 0; run < 8; run += 1) {
    await at.db.transaction(async (tx) => {
      const before = await counted(tx);
      const due = await earningBook(tx).payees(50, ['eu']);
      expect(due.map((payee) => payee.account)).toEqual(['p_1', 'p_10', 'p_100']);
      expect((await counted(tx)) - before).toBeLessThanOrEqual(10);
    });
  }
});
