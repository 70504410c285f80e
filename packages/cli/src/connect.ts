/** A client for the market that this command speaks to. */

import { createClient, type Client } from '@assay/client';
import { readAccess } from './access.ts';

/** The customer's client. */
export function connect(): Client {
  const { url, apiKey } = readAccess();
  return createClient({ baseUrl: url, auth: { kind: 'apiKey', key: apiKey } });
}

/** The arbiter's client: in a demo another person than the customer. */
export function connectAsArbiter(): Client {
  const { url, apiKey, arbiterApiKey } = readAccess();
  return createClient({ baseUrl: url, auth: { kind: 'apiKey', key: arbiterApiKey ?? apiKey } });
}
