/** All routes by their operation id. */

import { accountRoutes } from './accounts.ts';
import { banRoutes } from './bans.ts';
import { explorerRoutes } from './explorer.ts';
import { healthRoutes } from './health.ts';
import { jobRoutes } from './jobs.ts';
import { ledgerRoutes } from './ledger.ts';
import { outboxRoutes } from './outbox.ts';
import { workRoutes } from './work.ts';

export const routes = {
  ...accountRoutes,
  ...banRoutes,
  ...jobRoutes,
  ...workRoutes,
  ...ledgerRoutes,
  ...explorerRoutes,
  ...outboxRoutes,
  ...healthRoutes,
};

export type Routes = typeof routes;
export type OperationId = keyof Routes;
