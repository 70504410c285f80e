/** A client for the market that this command speaks to. */

import { createClient, type Client } from '@assay/client';
import { readAccess } from './config.ts';

export function connect(): Client {
  const { url, apiKey } = readAccess();
  return createClient({ baseUrl: url, auth: { kind: 'apiKey', key: apiKey } });
}
