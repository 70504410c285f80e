/** Another password for an account: whoever signed in with the old one is signed out. */

import { refuse } from '@assay/core';
import { addAudit, endOtherSessions, findAccountByEmail, replacePasswordHash, type Database } from '@assay/store';
import { sessionOf, type Caller } from './caller.ts';
import type { PasswordGuard } from './password-guard.ts';

export interface PasswordChange {
  readonly password: string;
  readonly newPassword: string;
}

/**
 * Ends all other sessions of the account, and its links that were not used. Refuses `auth.wrong_credentials` where the
 * present password is another one, `account.no_password`, and `request.rate_limited` as signing in does.
 */
export async function changePassword(
  db: Database,
  guard: PasswordGuard,
  caller: Caller,
  change: PasswordChange,
): Promise<void> {
  const { account: id, email } = caller;
  const present = (await findAccountByEmail(db, email))?.passwordHash ?? null;
  if (present === null) {
    throw refuse('account.no_password', 'this account has no password: it signs in by links', {});
  }
  if (!(await guard.isRight(email, change.password, present))) {
    throw refuse('auth.wrong_credentials', 'the present password is wrong', {});
  }
  const next = await guard.hash(change.newPassword);
  await db.transaction(async (tx) => {
    if (!(await replacePasswordHash(tx, id, present, next))) {
      throw refuse('auth.wrong_credentials', 'the password was changed meanwhile', {});
    }
    const ended = await endOtherSessions(tx, id, sessionOf(caller));
    await addAudit(tx, { actor: id, action: 'password.change', ref: id, data: { by: meansOf(caller), ended } });
  });
}

/** The session or key that the caller came by, for the audit log. */
function meansOf({ via }: Caller): string {
  return via.kind === 'certificate' ? via.fingerprint : via.id;
}
