/** Finds the caller of a request by its session cookie or its API key. */

import { refuse } from '@assay/core';
import { findApiKey, findSession, type Tx } from '@assay/store';
import { scopeNames } from '../api/schemas/account.ts';
import { rolesOf, scopesOf, type Caller } from './caller.ts';
import { hashToken, isToken } from './token.ts';

/** The name of the cookie that carries a session. */
export const sessionCookie = 'assay_session';

/** What a request brings to be known by. */
export interface Credentials {
  readonly authorization: string | undefined;
  readonly cookie: string | undefined;
}

/**
 * The caller, or undefined for somebody without credentials or with a session that is over. A wrong API key refuses
 * `auth.wrong_credentials`, since its program should hear of it.
 */
export async function authenticate(db: Tx, { authorization, cookie }: Credentials): Promise<Caller | undefined> {
  if (authorization !== undefined) return byApiKey(db, authorization);
  if (cookie === undefined || !isToken('session', cookie)) return undefined;
  const session = await findSession(db, hashToken(cookie));
  if (!session) return undefined;
  const { account, email, region, createdAt, id, expiresAt } = session;
  const roles = rolesOf(session.roles);
  return { account, email, region, roles, createdAt, scopes: scopeNames, via: { kind: 'session', id, expiresAt } };
}

async function byApiKey(db: Tx, authorization: string): Promise<Caller> {
  const [, secret] = /^Bearer ([\w-]{1,200})$/i.exec(authorization) ?? [];
  const key = secret !== undefined && isToken('apiKey', secret) ? await findApiKey(db, hashToken(secret)) : undefined;
  if (!key) throw refuse('auth.wrong_credentials', 'the API key is not known', {});
  const { account, email, region, createdAt, id } = key;
  const [roles, scopes] = [rolesOf(key.roles), scopesOf(key.scopes)];
  return { account, email, region, roles, scopes, createdAt, via: { kind: 'apiKey', id } };
}
