/** Who makes a request, and whether a route is for them. */

import { refuse, type AccountId, type ApiKeyId, type Region, type SessionId } from '@assay/core';
import type { Viewer } from '@assay/store';
import type { Access, Role, Scope } from '../api/routes/route.ts';
import { roleNames, scopeNames } from '../api/schemas/account.ts';

/** A signed-in account, by its session, by one of its keys or by a client certificate at the gateway. */
export interface Caller {
  readonly account: AccountId;
  readonly email: string;
  readonly region: Region;
  readonly roles: readonly Role[];
  readonly scopes: readonly Scope[];
  readonly createdAt: Date;
  readonly via:
    | { readonly kind: 'session'; readonly id: SessionId; readonly expiresAt: Date }
    | { readonly kind: 'apiKey'; readonly id: ApiKeyId }
    | { readonly kind: 'certificate'; readonly fingerprint: string };
}

/** Roles as stored; unknown ones give no rights. */
export function rolesOf(names: readonly string[]): Role[] {
  return roleNames.filter((role) => names.includes(role));
}

/** Scopes as stored; unknown ones give no rights. */
export function scopesOf(names: readonly string[]): Scope[] {
  return scopeNames.filter((scope) => names.includes(scope));
}

/** Refuses `auth.required` or `auth.forbidden`. */
export function checkAccess(access: Exclude<Access, string>, caller: Caller | undefined): Caller {
  if (!caller) throw refuse('auth.required', 'sign in or send an API key', {});
  if (!caller.scopes.includes(access.scope)) {
    throw refuse('auth.forbidden', `the API key lacks the scope ${access.scope}`, { scope: access.scope });
  }
  if (!access.roles.some((role) => caller.roles.includes(role))) {
    throw refuse('auth.forbidden', `this needs one of the roles ${access.roles.join(', ')}`, { roles: access.roles });
  }
  return caller;
}

/** The session that the caller came by, if it was one. */
export function sessionOf({ via }: Caller): SessionId | null {
  return via.kind === 'session' ? via.id : null;
}

const seeingAll: readonly Role[] = ['operator', 'arbiter', 'auditor'];

/** What the caller may look at. */
export function viewerOf(caller: Caller): Viewer {
  return { account: caller.account, all: seeingAll.some((role) => caller.roles.includes(role)) };
}
