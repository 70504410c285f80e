/** Whether anything is still to be done, and what. */

import type { World } from './world.ts';

const unfinished = `
  SELECT 'outbox' AS what, kind || ' ' || op || ' ' || state || ' ' || coalesce(last_error, '') AS row FROM outbox
    WHERE state NOT IN ('done', 'failed')
  UNION ALL SELECT 'inbox', event_key || ' ' || state FROM inbox WHERE state NOT IN ('done', 'ignored')
  UNION ALL SELECT 'transfer', id || ' ' || kind || ' ' || state FROM transfer
    WHERE state NOT IN ('succeeded', 'failed', 'canceled')
      AND NOT (kind = 'payment' AND state = 'requires_action'
        AND EXISTS (SELECT FROM job WHERE job.id = job_id AND job.state NOT IN ('created', 'cancelled')))
  UNION ALL SELECT 'job', id || ' ' || state FROM job WHERE state NOT IN ('completed', 'refunded', 'cancelled')
  UNION ALL SELECT 'unit', id || ' ' || state FROM unit WHERE state NOT IN ('agreed', 'undecided')
  UNION ALL SELECT 'payable', payee_id || ' ' || amount FROM payable
  UNION ALL SELECT 'fact', 'position ' || position FROM ledger_fact
    WHERE position > coalesce((SELECT position FROM checkpoint WHERE name = 'trade'), 0)`;

/** What waits for somebody. */
export async function leftOver({ database, customers }: World): Promise<string[]> {
  const rows = await database.db.query<{ what: string; row: string }>(unfinished);
  const unordered = customers.filter((customer) => customer.job === undefined).map((one) => `order ${one.orderKey}`);
  return [...rows.map(({ what, row }) => `${what} ${row}`), ...unordered];
}

export async function isAtRest(world: World): Promise<boolean> {
  return (await leftOver(world)).length === 0;
}
