/** Providers of work: their machines and where they are paid. */

import {
  newId,
  parseId,
  refuse,
  regions,
  type AccountId,
  type IdSource,
  type PaymentProvider,
  type Region,
  type WorkerId,
} from '@assay/core';
import {
  addPayoutAccount,
  findPayoutAccount,
  findUnfinishedDestination,
  readWorkers,
  registerWorker,
  removeWorker,
  type Database,
  type PayoutAccountRow,
} from '@assay/store';
import type { HandlersOf } from '../api/handlers.ts';
import type { PayoutAccount, Worker } from '../api/schemas/worker.ts';
import { viewerOf } from '../auth/caller.ts';
import { limitOf, pageOf } from './paging.ts';
import { timeOrNull } from '../present/money.ts';

export interface ProviderDeps {
  readonly db: Database;
  readonly ids: IdSource;
  readonly providers: { forRegion(region: Region): PaymentProvider };
}

/** The handlers. */
export function providerHandlers(
  deps: ProviderDeps,
): HandlersOf<'createPayoutAccount' | 'listPayoutAccounts' | 'createWorker' | 'listWorkers' | 'removeWorker'> {
  const { db, ids } = deps;
  return {
    async createPayoutAccount({ body }, { caller }): Promise<PayoutAccount> {
      const { region } = body;
      const provider = deps.providers.forRegion(region);
      const known = await findPayoutAccount(db, caller.account, region);
      const row = known ?? (await openPayoutAccount(deps, caller.account, region));
      return presentPayoutAccount(provider, row);
    },
    async listPayoutAccounts(_, { caller }) {
      const rows = await Promise.all(regions.map((region) => findPayoutAccount(db, caller.account, region)));
      const items = rows.flatMap((row) =>
        row === undefined ? [] : presentPayoutAccount(deps.providers.forRegion(row.region), row),
      );
      return { items, next: null };
    },
    async createWorker({ body }, { caller }) {
      const id = newId('worker', ids);
      return { workerId: await registerWorker(db, { id, owner: caller.account, region: caller.region, ...body }) };
    },
    async removeWorker({ params }, { caller }) {
      const id: WorkerId | undefined = parseId('worker', params.id);
      if (!id) throw refuse('worker.not_found', 'no such worker', {});
      await removeWorker(db, caller.account, id);
    },
    async listWorkers({ query }, { caller }) {
      const limit = limitOf(query);
      const rows = await readWorkers(db, viewerOf(caller), query.after ?? null, limit + 1);
      const page = pageOf(rows, limit, (row) => row.id);
      return { ...page, items: page.items.map(presentWorker) };
    },
  };
}

function presentPayoutAccount(provider: PaymentProvider, row: PayoutAccountRow): PayoutAccount {
  const { region, destination, createdAt } = row;
  return { region, provider: provider.name, destination, createdAt: createdAt.toISOString() };
}

async function openPayoutAccount(deps: ProviderDeps, account: AccountId, region: Region) {
  const destination =
    (await findUnfinishedDestination(deps.db, account, region)) ?? (await createRecipient(deps, account, region));
  const id = newId('payoutAccount', deps.ids);
  const row = await addPayoutAccount(deps.db, { id, account, region, destination });
  if (!row) throw refuse('payment.unknown', 'the payout account was not stored; try again', {});
  return row;
}

/** The account at the provider is opened under our account's id, so that a repeated call finds the same one. */
async function createRecipient(deps: ProviderDeps, account: AccountId, region: Region): Promise<string> {
  const outcome = await deps.providers.forRegion(region).createRecipient(account, `recipient/${region}/${account}`);
  if (outcome.kind === 'refused') throw refuse('payment.refused', outcome.message, { code: outcome.code });
  if (outcome.kind === 'unknown') throw refuse('payment.unknown', 'the payment provider did not answer; try again', {});
  return outcome.value;
}

function presentWorker(row: Awaited<ReturnType<typeof readWorkers>>[number]): Worker {
  return {
    id: row.id,
    name: row.name,
    publicKey: row.publicKey,
    machine: row.machine as unknown as Worker['machine'],
    state: row.banned ? 'banned' : 'active',
    reputation: { agreed: Number(row.agreed), disagreed: Number(row.disagreed), lost: Number(row.lost) },
    running: row.running,
    createdAt: row.registeredAt.toISOString(),
    lastSeenAt: timeOrNull(row.lastSeenAt),
  };
}
