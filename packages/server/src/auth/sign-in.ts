/** Opening accounts and signing in. */

import { limits, newId, refuse, type AccountId, type Clock, type IdSource, type Region } from '@assay/core';
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
import { checkPassword, hashPassword, standardCost, type ScryptCost } from './password.ts';
import { takeTurns } from '../http/turns.ts';
import { tokenBuckets } from './token-bucket.ts';
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
  /** Refuses `auth.wrong_credentials`, and `request.rate_limited` after too many wrong passwords. */
  withPassword(email: string, password: string, address: string): Promise<SignedIn>;
  /** Refuses `auth.wrong_credentials` for a link that was used or is too old. */
  withTicket(ticket: string, address: string): Promise<SignedIn>;
  /** Makes a link's secret that signs `account` in once. */
  issueTicket(account: AccountId): Promise<string>;
  signOut(caller: Caller): Promise<void>;
}

/** The use cases of signing in. */
export function openSignIn(deps: SignInDeps): SignIn {
  const { db, ids, clock, scrypt = standardCost } = deps;
  // Hashing is made to be slow: a flood of sign-ins must not stop the server.
  const queue = takeTurns(limits.passwordHashes, limits.passwordHashesWaiting);
  const wrong = tokenBuckets(clock, { burst: limits.signInBurst, perMinute: limits.signInPerMinute }, limits.rateKeys);
  const byAddress = { burst: limits.signInAddressBurst, perMinute: limits.signInAddressPerMinute };
  const attempts = tokenBuckets(clock, byAddress, limits.rateKeys);
  // Unknown addresses take as long as known ones, so that the time does not tell which accounts exist.
  let decoy: Promise<string> | undefined;
  const hashDecoy = async (): Promise<string> => {
    try {
      return await queue(() => hashPassword('decoy', scrypt));
    } catch (error) {
      // The queue was full: whoever asks next tries anew.
      decoy = undefined;
      throw error;
    }
  };

  const attempt = (address: string): void => {
    const taken = attempts.take(address);
    if (!taken.ok)
      throw refuse('request.rate_limited', 'too many sign-ins from this address', { waitMs: taken.waitMs });
  };
  const begin = async (bearer: Bearer): Promise<SignedIn> => {
    const token = newToken('session');
    const id = newId('session', ids);
    const entry = { id, account: bearer.account, tokenHash: hashToken(token), lifeMs: limits.sessionMs };
    const expiresAt = await addSession(db, entry);
    const { account, email, region, createdAt } = bearer;
    const roles = rolesOf(bearer.roles);
    const via = { kind: 'session', id, expiresAt } as const;
    return { caller: { account, email, region, roles, createdAt, scopes: scopeNames, via }, token, expiresAt };
  };

  return {
    async open({ email, password, region, roles }) {
      const passwordHash = await queue(() => hashPassword(password, scrypt));
      return addAccount(db, { id: newId('account', ids), email, passwordHash, region, roles });
    },
    async withPassword(email, password, address) {
      attempt(address);
      const key = email.toLowerCase();
      if (!wrong.has(key))
        throw refuse('request.rate_limited', 'too many wrong passwords; wait a minute', { waitMs: 60_000 });
      const account = await findAccountByEmail(db, email);
      const stored = account?.passwordHash ?? (await (decoy ??= hashDecoy()));
      const right = await queue(() => checkPassword(password, stored));
      if (!account?.passwordHash || !right) {
        wrong.take(key);
        throw refuse('auth.wrong_credentials', 'the e-mail address or password is wrong', {});
      }
      wrong.reset(key);
      return begin({ ...account, account: account.id });
    },
    async withTicket(ticket, address) {
      attempt(address);
      const bearer = await takeTicket(db, hashToken(ticket));
      if (!bearer) throw refuse('auth.wrong_credentials', 'the link was used before or is too old', {});
      return begin(bearer);
    },
    async issueTicket(account) {
      const ticket = newToken('ticket');
      await addTicket(db, { account, tokenHash: hashToken(ticket), lifeMs: limits.ticketMs });
      return ticket;
    },
    async signOut(caller) {
      if (caller.via.kind === 'session') await endSession(db, caller.via.id);
    },
  };
}
