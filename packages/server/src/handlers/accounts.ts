/** Accounts, sessions and API keys. */

import { newId, parseId, refuse, type ApiKeyId, type IdSource, type SessionId } from '@assay/core';
import {
  addApiKey,
  endOtherSessions,
  endSessionOf,
  listApiKeys,
  readSessions,
  removeApiKey,
  type ApiKeyRow,
  type Database,
  type SessionView,
} from '@assay/store';
import type { FastifyReply } from 'fastify';
import type { HandlersOf } from '../api/handlers.ts';
import type { Account, ApiKey, OpenSession, Session } from '../api/schemas/account.ts';
import { sessionCookie } from '../auth/authenticate.ts';
import { scopesOf, sessionOf, type Caller } from '../auth/caller.ts';
import { clientKind } from '../auth/client-kind.ts';
import type { SignedIn, SignIn } from '../auth/sign-in.ts';
import { hashToken, newToken } from '../auth/token.ts';
import { timeOrNull } from '../present/money.ts';
import { limitOf, pageOf } from './paging.ts';

export interface AccountDeps {
  readonly db: Database;
  readonly ids: IdSource;
  readonly signIn: SignIn;
  /** Whether browsers may send the cookie over HTTPS only. */
  readonly secureCookies: boolean;
}

type AccountOperations =
  | 'createAccount'
  | 'signIn'
  | 'redeemTicket'
  | 'currentSession'
  | 'signOut'
  | 'listSessions'
  | 'endSession'
  | 'endOtherSessions'
  | 'changePassword'
  | 'createApiKey'
  | 'listApiKeys'
  | 'deleteApiKey';

/** The handlers. */
export function accountHandlers(deps: AccountDeps): HandlersOf<AccountOperations> {
  const { db, signIn } = deps;
  const cookie = { path: '/', httpOnly: true, sameSite: 'lax', secure: deps.secureCookies } as const;
  const enter = ({ caller, token, expiresAt }: SignedIn, reply: FastifyReply): Session => {
    void reply.setCookie(sessionCookie, token, { ...cookie, expires: expiresAt });
    return presentSession(caller);
  };
  return {
    async createAccount({ body }) {
      const { id, email, region, createdAt } = await signIn.open(body);
      return { id, email, region, roles: body.roles, createdAt: createdAt.toISOString() };
    },
    async signIn({ body }, { address, request, reply }) {
      const client = clientKind(request.headers['user-agent']);
      return enter(await signIn.withPassword(body.email, body.password, address, client), reply);
    },
    async redeemTicket({ body }, { address, request, reply }) {
      const client = clientKind(request.headers['user-agent']);
      return enter(await signIn.withTicket(body.ticket, address, client), reply);
    },
    currentSession: (_input, { caller }) => presentSession(caller),
    async signOut(_input, { caller, reply }) {
      await signIn.signOut(caller);
      void reply.clearCookie(sessionCookie, cookie);
    },
    async listSessions({ query }, { caller }) {
      const limit = limitOf(query);
      const rows = await readSessions(db, caller.account, query.after ?? null, limit + 1);
      const page = pageOf(rows, limit, (row) => row.id);
      return { ...page, items: page.items.map((row) => presentOpen(row, caller)) };
    },
    async endSession({ params }, { caller }) {
      const id: SessionId | undefined = parseId('session', params.id);
      if (!id) throw refuse('session.not_found', 'no such session', {});
      await endSessionOf(db, caller.account, id);
    },
    async endOtherSessions(_input, { caller }) {
      return { ended: await db.transaction((tx) => endOtherSessions(tx, caller.account, sessionOf(caller))) };
    },
    async changePassword({ body }, { address, caller }) {
      await signIn.changePassword(caller, body, address);
    },
    async createApiKey({ body }, { caller }) {
      const secret = newToken('apiKey');
      const lacking = body.scopes.filter((scope) => !caller.scopes.includes(scope));
      if (lacking.length > 0) throw refuse('auth.forbidden', 'a key cannot give more than its maker may', { lacking });
      const { name, scopes } = body;
      const id = newId('apiKey', deps.ids);
      const row = await addApiKey(db, { id, account: caller.account, name, keyHash: hashToken(secret), scopes });
      return { ...presentKey(row), secret };
    },
    async listApiKeys(_input, { caller }) {
      return { items: (await listApiKeys(db, caller.account)).map(presentKey), next: null };
    },
    async deleteApiKey({ params }, { caller }) {
      const id: ApiKeyId | undefined = parseId('apiKey', params.id);
      if (!id) throw refuse('api_key.not_found', 'no such API key', {});
      await removeApiKey(db, caller.account, id);
    },
  };
}

function presentAccount({ account: id, email, region, roles, createdAt }: Caller): Account {
  return { id, email, region, roles: [...roles], createdAt: createdAt.toISOString() };
}

function presentSession(caller: Caller): Session {
  const expiresAt = caller.via.kind === 'session' ? caller.via.expiresAt : null;
  return {
    account: presentAccount(caller),
    via: caller.via.kind,
    scopes: [...caller.scopes],
    expiresAt: timeOrNull(expiresAt),
  };
}

function presentOpen({ id, client, createdAt, lastUsedAt, expiresAt }: SessionView, caller: Caller): OpenSession {
  return {
    id,
    client,
    createdAt: createdAt.toISOString(),
    lastUsedAt: lastUsedAt.toISOString(),
    expiresAt: expiresAt.toISOString(),
    current: id === sessionOf(caller),
  };
}

function presentKey(row: ApiKeyRow): ApiKey {
  const { id, name, createdAt, lastUsedAt } = row;
  const scopes = scopesOf(row.scopes);
  return { id, name, scopes, createdAt: createdAt.toISOString(), lastUsedAt: timeOrNull(lastUsedAt) };
}
