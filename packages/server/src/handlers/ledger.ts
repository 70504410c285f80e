/** The ledger's gateway for programs, and the webhooks of payment providers. */

import { refuse, type Ledger, type LedgerIdentity, type Submission } from '@assay/core';
import { addAudit, type Database } from '@assay/store';
import type { HandlersOf } from '../api/handlers.ts';
import type { Caller } from '../auth/caller.ts';
import type { Market } from '../market-port.ts';

export interface LedgerDeps {
  readonly db: Database;
  readonly ledger: Ledger;
  readonly market: Market;
  /** The organisation that the platform's people belong to on the ledger. */
  readonly mspId: string;
}

type Gateway = 'invoke' | 'query' | 'paymentWebhook';

/** What an account's roles are on the ledger. */
const ledgerRoleOf = { operator: 'orchestrator', arbiter: 'arbiter', auditor: 'auditor' } as const;

function identityOf(caller: Caller, mspId: string): LedgerIdentity {
  const roles = caller.roles.flatMap((role) =>
    role in ledgerRoleOf ? ledgerRoleOf[role as keyof typeof ledgerRoleOf] : [],
  );
  return { mspId, name: caller.account, roles };
}

/** The handlers that talk to others. */
export function gatewayHandlers({ db, ledger, market, mspId }: LedgerDeps): HandlersOf<Gateway> {
  return {
    async invoke({ body }, { caller, key = '' }) {
      const { contract, fn, args } = body;
      if (contract === 'Contract' && fn === 'resolveDispute') {
        throw refuse(
          'ledger.refused',
          'a dispute is decided by POST /disputes/{id}/resolve, which checks the arbiter',
          {},
        );
      }
      const submission: Submission = { contract, fn, args, idempotencyKey: `${caller.account}/${key}` };
      const event = {
        actor: caller.account,
        action: 'ledger.invoke',
        ref: `${contract}.${fn}`,
        data: { args, ...byCertificate(caller) },
      };
      await db.transaction((tx) => addAudit(tx, event));
      const [outcome] = await ledger.submit([submission], identityOf(caller, mspId));
      if (!outcome || outcome.kind === 'conflict') {
        throw refuse('ledger.conflict', outcome?.message ?? 'the ledger did not answer', {});
      }
      if (outcome.kind === 'refused') throw refuse('ledger.refused', outcome.message, { code: outcome.code });
      return { txId: outcome.txId, block: outcome.block.toString(), result: outcome.result };
    },
    async query({ query }, { caller }) {
      const { contract, fn } = query;
      return { result: await ledger.evaluate(contract, fn, argumentsOf(query.args), identityOf(caller, mspId)) };
    },
    async paymentWebhook({ params }, { request }) {
      const headers = Object.fromEntries(
        Object.entries(request.headers).flatMap(([name, value]) => (typeof value === 'string' ? [[name, value]] : [])),
      );
      const raw = request.rawBody ?? new Uint8Array(0);
      await market.receiveWebhook({ region: params.region, raw, headers });
      return { received: true };
    },
  };
}

/** Of several certificates of one account the audit log names the one that was used. */
function byCertificate({ via }: Caller): { certificate?: string } {
  return via.kind === 'certificate' ? { certificate: via.fingerprint } : {};
}

function argumentsOf(text: string | undefined): string[] {
  if (text === undefined) return [];
  try {
    const value = JSON.parse(text) as unknown;
    if (Array.isArray(value) && value.every((one) => typeof one === 'string')) return value;
  } catch {
    // Answered below.
  }
  throw refuse('request.malformed', '`args` is a JSON array of strings', {});
}
