/** What a server is made of; `compose.ts` fills it for programs, tests for themselves. */

import type { Clock, IdSource, Ledger, ObjectStore, PaymentProvider, Region, Sha256, WorkStore } from '@assay/core';
import type { Exchange, VerifySignature } from '@assay/market';
import type { Database } from '@assay/store';
import type { FastifyBaseLogger } from 'fastify';
import type { ScryptCost } from './auth/password.ts';
import type { Allowance } from './auth/token-bucket.ts';
import type { Market } from './market-port.ts';

/** How this server shows itself. */
export interface ServerSettings {
  /** The origin that people see us under, such as `https://market.example`; fixes cookies and the origin check. */
  readonly publicOrigin: string;
  /** Addresses of proxies whose `X-Forwarded-For` is believed; none by default. */
  readonly trustProxy: readonly string[];
  /** The built console. */
  readonly consoleFolder?: string;
  /** Where uploads wait until they are unpacked. */
  readonly spoolFolder: string;
  readonly allowance: Allowance;
  readonly deviceAllowance: Allowance;
  /** What the payment providers' keys are for: live ones move real money. */
  readonly paymentMode: 'sandbox' | 'live';
  /** Cheaper than the standard in tests only. */
  readonly scrypt?: ScryptCost;
}

export interface ServerDeps {
  readonly db: Database;
  readonly objects: ObjectStore;
  readonly ledger: Ledger;
  readonly market: Market;
  readonly exchange: Exchange;
  readonly uploads: Pick<WorkStore, 'recordUpload'>;
  readonly providers: { forRegion(region: Region): PaymentProvider };
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly sha256: Sha256;
  readonly verifySignature: VerifySignature;
  /** The organisation that the platform's people belong to on the ledger. */
  readonly mspId: string;
  readonly settings: ServerSettings;
  readonly log?: FastifyBaseLogger;
}
