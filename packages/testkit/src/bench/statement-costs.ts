/** Which statements a run spent its database time on, for those who look for what to improve. */

import type { Database } from '@assay/store';

/** What the embedded server must be started with. */
export const statementSettings: Readonly<Record<string, string>> = {
  shared_preload_libraries: 'pg_stat_statements',
  'pg_stat_statements.track_utility': 'on',
  track_io_timing: 'on',
};

interface Row {
  readonly calls: bigint;
  readonly rows: bigint;
  readonly ms: number;
  readonly wal: bigint;
  readonly query: string;
}

/** Forgets what was counted before the run; `db` is a superuser's. */
export async function resetStatements(db: Database): Promise<void> {
  await db.query('CREATE EXTENSION IF NOT EXISTS pg_stat_statements');
  await db.query('SELECT pg_stat_statements_reset(), pg_stat_reset()');
}

/** The costliest statements, and how many row updates of each table stayed on their page. */
export async function statementLines(db: Database): Promise<string[]> {
  const rows = await db.query<Row>(
    `SELECT calls, rows, total_exec_time + total_plan_time AS ms, wal_bytes::bigint AS wal,
       left(regexp_replace(query, '\\s+', ' ', 'g'), 90) AS query
     FROM pg_stat_statements ORDER BY total_exec_time DESC LIMIT 40`,
  );
  const tables = await db.query<{ name: string; added: bigint; updated: bigint; hot: bigint }>(
    `SELECT relname AS name, n_tup_ins AS added, n_tup_upd AS updated, n_tup_hot_upd AS hot FROM pg_stat_user_tables
     WHERE n_tup_ins + n_tup_upd > 0 ORDER BY n_tup_ins + n_tup_upd DESC LIMIT 12`,
  );
  return [
    '     ms  calls    rows  WAL kB  statement',
    ...rows.map(
      ({ calls, rows: count, ms, wal, query }) =>
        `${right(ms.toFixed(0), 7)} ${right(calls, 6)} ${right(count, 7)} ${right(wal / 1024n, 7)}  ${query}`,
    ),
    '  added updated on page  table',
    ...tables.map(
      ({ name, added, updated, hot }) => `${right(added, 7)} ${right(updated, 7)} ${right(hot, 7)}  ${name}`,
    ),
  ];
}

function right(value: unknown, width: number): string {
  return String(value).padStart(width);
}
