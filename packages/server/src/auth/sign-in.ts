/** Opening accounts and signing in. */

import {
  limits,
  newId,
  refuse,
  type AccountId,
  type Clock,
  type IdSource,
  type Refusal,
  type Region,
} from '@assay/core';
import {
  addAccount,
  addSession,
  addTicket,
  endSession,
  findAccountByEmail,
  takeTicket,
  type AccountRow,
  type Bearer,
  type Database,
} from '@assay/store';
import { scopeNames } from '../api/schemas/account.ts';
import type { Role } from '../api/routes/route.ts';
import { rolesOf, type Caller } from './caller.ts';
import { unknownClient } from './client-kind.ts';
import { changePassword, type PasswordChange } from './change-password.ts';
import { passwordGuard } from './password-guard.ts';
import { standardCost, type ScryptCost } from './password.ts';
import { hashToken, newToken } from './token.ts';

export interface SignInDeps {
  readonly db: Database;
  readonly ids: IdSource;
  readonly clock: Clock;
  /** Cheaper than the standard in tests only. */
  readonly scrypt?: ScryptCost;
}

/** A fresh session and the secret for its cookie. */
export interface SignedIn {
  readonly caller: Caller;
  readonly token: string;
  readonly expiresAt: Date;
}

/** What somebody who wants an account says. */
export interface NewAccount {
  readonly email: string;
  readonly password: string;
  readonly region: Region;
  readonly roles: readonly Role[];
}

export interface SignIn {
  /** Refuses `account.exists`. */
  open(account: NewAccount): Promise<AccountRow>;
  /**
   * Opens a session for `client`, named in words of our own. Refuses `auth.wrong_credentials`, and `request.rate_limited`
   * after too many wrong passwords.
   */
  withPassword(email: string, password: string, address: string, client?: string): Promise<SignedIn>;
  /** Refuses `auth.wrong_credentials` for a link that was used or is too old. */
  withTicket(ticket: string, address: string, client?: string): Promise<SignedIn>;
  /** Makes a link's secret that signs `account` in once. */
  issueTicket(account: AccountId): Promise<string>;
  signOut(caller: Caller): Promise<void>;
  /** Refuses as `changePassword` of `change-password.ts` does. */
  changePassword(caller: Caller, change: PasswordChange, address: string): Promise<void>;
}

/** The use cases of signing in. */
export function openSignIn(deps: SignInDeps): SignIn {
  const { db, ids, clock, scrypt = standardCost } = deps;
  const guard = passwordGuard(clock, scrypt);
  const begin = async (bearer: Bearer, client: string, passwordHash: string | null): Promise<SignedIn> => {
    const token = newToken('session');
    const id = newId('session', ids);
    const entry = { id, account: bearer.account, tokenHash: hashToken(token), lifeMs: limits.sessionMs };
    const expiresAt = await addSession(db, { ...entry, client, passwordHash });
    if (expiresAt === undefined) throw wrongCredentials();
    const { account, email, region, createdAt } = bearer;
    const roles = rolesOf(bearer.roles);
    const via = { kind: 'session', id, expiresAt } as const;
    return { caller: { account, email, region, roles, createdAt, scopes: scopeNames, via }, token, expiresAt };
  };

  return {
    async open({ email, password, region, roles }) {
      const passwordHash = await guard.hash(password);
      return addAccount(db, { id: newId('account', ids), email, passwordHash, region, roles });
    },
    async withPassword(email, password, address, client = unknownClient) {
      guard.admit(address);
      const account = await findAccountByEmail(db, email);
      const right = await guard.isRight(email.toLowerCase(), password, account?.passwordHash);
      if (!account || !right) throw wrongCredentials();
      return begin({ ...account, account: account.id }, client, account.passwordHash);
    },
    async withTicket(ticket, address, client = unknownClient) {
      guard.admit(address);
      const bearer = await takeTicket(db, hashToken(ticket));
      if (!bearer) throw refuse('auth.wrong_credentials', 'the link was used before or is too old', {});
      return begin(bearer, client, null);
    },
    async issueTicket(account) {
      const ticket = newToken('ticket');
      await addTicket(db, { account, tokenHash: hashToken(ticket), lifeMs: limits.ticketMs });
      return ticket;
    },
    async signOut(caller) {
      if (caller.via.kind === 'session') await endSession(db, caller.via.id);
    },
    async changePassword(caller, change, address) {
      guard.admit(address);
      await changePassword(db, guard, caller, change);
    },
  };
}

function wrongCredentials(): Refusal {
  return refuse('auth.wrong_credentials', 'the e-mail address or password is wrong', {});
}
