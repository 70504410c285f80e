/** People and programs: accounts, sessions, API keys. */

import { Type, type Static } from 'typebox';
import { closed, named, nullable, oneOf, ref } from './named.ts';
import { count, id, instant, printable, region } from './scalars.ts';

/** What a person may be. */
export const roleNames = ['customer', 'provider', 'operator', 'arbiter', 'auditor'] as const;
/** What an API key may be allowed to do. */
export const scopeNames = ['jobs:read', 'jobs:write', 'workers', 'ledger', 'disputes', 'account', 'metrics'] as const;

export const role = oneOf(roleNames);
export const scope = oneOf(scopeNames);

const email = Type.String({
  minLength: 3,
  maxLength: 254,
  pattern:
    '^[^@\\s\\u0000-\\u001f\\u007f-\\u009f\\u202a-\\u202e\\u2066-\\u2069]+@[^@\\s\\u0000-\\u001f\\u007f-\\u009f\\u202a-\\u202e\\u2066-\\u2069]+$',
});

const freshPassword = Type.String({ minLength: 10, maxLength: 200 });
const presentPassword = Type.String({ minLength: 1, maxLength: 200 });

export const Account = named(
  'Account',
  Type.Object({ id: id('account'), email, region, roles: Type.Array(role), createdAt: instant }),
);

export const AccountRequest = named(
  'AccountRequest',
  closed({
    email,
    password: freshPassword,
    region,
    roles: Type.Array(oneOf(['customer', 'provider']), { minItems: 1, maxItems: 2, uniqueItems: true }),
  }),
);

export const SessionRequest = named('SessionRequest', closed({ email, password: presentPassword }));

export const PasswordChange = named(
  'PasswordChange',
  closed({ password: presentPassword, newPassword: freshPassword }, 'The present password and the new one.'),
);

export const TicketRequest = named(
  'TicketRequest',
  closed({ ticket: Type.String({ minLength: 16, maxLength: 200 }) }, 'A sign-in link that works once.'),
);

export const Session = named(
  'Session',
  Type.Object({
    account: ref(Account),
    via: oneOf(['session', 'apiKey', 'certificate']),
    scopes: Type.Array(scope),
    expiresAt: nullable(instant),
  }),
);

export const OpenSession = named(
  'OpenSession',
  Type.Object({
    id: id('session'),
    client: Type.String({ description: 'What signed in, as `Firefox on Linux`.' }),
    createdAt: instant,
    lastUsedAt: instant,
    expiresAt: instant,
    current: Type.Boolean({ description: 'Whether this request came by it.' }),
  }),
);

export const EndedSessions = named('EndedSessions', Type.Object({ ended: count }));

export const ApiKeyRequest = named(
  'ApiKeyRequest',
  closed({
    name: Type.String({ minLength: 1, maxLength: 100, pattern: printable }),
    scopes: Type.Array(scope, { minItems: 1, maxItems: scopeNames.length, uniqueItems: true }),
  }),
);

const apiKeyFields = {
  id: id('apiKey'),
  name: Type.String(),
  scopes: Type.Array(scope),
  createdAt: instant,
  lastUsedAt: nullable(instant),
};

export const ApiKey = named('ApiKey', Type.Object(apiKeyFields));

export const NewApiKey = named(
  'NewApiKey',
  Type.Object({ ...apiKeyFields, secret: Type.String({ description: 'Shown this once.' }) }),
);

export type Account = Static<typeof Account>;
export type AccountRequest = Static<typeof AccountRequest>;
export type Session = Static<typeof Session>;
export type OpenSession = Static<typeof OpenSession>;
export type ApiKey = Static<typeof ApiKey>;
export type NewApiKey = Static<typeof NewApiKey>;
