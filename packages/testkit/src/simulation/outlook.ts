/** What is ready to be done, so that a simulation spends its steps where something happens. It looks only now and then. */

import type { World } from './world.ts';

export interface Outlook {
  /** Background processes, by their place in `tradeProcesses`, that would find something; the sweep of work comes after them. */
  readonly processes: readonly number[];
  /** Units wait for takers, or replicas for their workers. */
  readonly work: boolean;
}

interface Ready {
  readonly expired: boolean;
  readonly sends: boolean;
  readonly inbox: boolean;
  readonly asks: boolean;
  readonly due: boolean;
  readonly ledger: boolean;
  readonly facts: boolean;
  readonly payable: boolean;
  readonly overdue: boolean;
  readonly work: boolean;
}

const ready = {
  name: 'simulation.outlook',
  text: `SELECT
    EXISTS (SELECT FROM job WHERE state = 'created' AND expires_at <= assay_now()) AS expired,
    EXISTS (SELECT FROM outbox WHERE kind <> 'ledger' AND state IN ('ready', 'unknown', 'sending') AND next_at <= assay_now()
      AND (lease_until IS NULL OR lease_until <= assay_now())) AS sends,
    EXISTS (SELECT FROM inbox WHERE state IN ('received', 'parked') AND next_at <= assay_now()
      AND (lease_until IS NULL OR lease_until <= assay_now())) AS inbox,
    EXISTS (SELECT FROM transfer WHERE state IN ('pending', 'requires_action', 'in_transit')) AS asks,
    EXISTS (SELECT FROM job WHERE state = 'verified' AND release_due_at <= assay_now()) AS due,
    EXISTS (SELECT FROM outbox WHERE kind = 'ledger' AND state IN ('ready', 'unknown', 'sending') AND next_at <= assay_now()
      AND (lease_until IS NULL OR lease_until <= assay_now())) AS ledger,
    EXISTS (SELECT FROM ledger_fact
      WHERE position > coalesce((SELECT position FROM checkpoint WHERE name = 'trade'), 0)) AS facts,
    EXISTS (SELECT FROM payable WHERE due_at <= assay_now()) AS payable,
    EXISTS (SELECT FROM desk WHERE held <> '{}' AND seen_at < assay_now() - interval '1 minute')
      OR EXISTS (SELECT FROM unit WHERE wanted > 0 AND wanted_since < assay_now() - interval '1 minute') AS overdue,
    EXISTS (SELECT FROM unit WHERE wanted > 0)
      OR EXISTS (SELECT FROM replica WHERE state IN ('leased', 'committed')) AS work`,
};

export async function lookAround({ database }: World): Promise<Outlook> {
  const [row] = await database.db.query<Ready>(ready);
  if (!row) return { processes: [], work: false };
  const { expired, sends, inbox, asks, due, ledger, facts, payable, overdue, work } = row;
  const flags = [expired, sends, inbox, asks, due, ledger, facts, payable, overdue];
  return { processes: flags.flatMap((flag, index) => (flag ? index : [])), work };
}
