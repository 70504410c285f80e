/** A whole market on one machine for people who want to look: a simulated bank, short windows, and people with keys. */

import { agreeOnWindow } from '@assay/ledger';
import { join } from 'node:path';
import { mkdir } from 'node:fs/promises';
import { newId, type AccountId } from '@assay/core';
import { startStripeSimulator } from '@assay/payments';
import {
  addAccount,
  addApiKey,
  findAccountByEmail,
  listApiKeys,
  removeApiKey,
  setRoles,
  type Database,
} from '@assay/store';
import { scopeNames } from './api/schemas/account.ts';
import type { Role } from './api/routes/route.ts';
import { hashToken, newToken } from './auth/token.ts';
import { startServer, type RunningServer } from './compose.ts';
import { readConfig, settings, type Config } from './config.ts';
import { systemClock, systemIds } from './system-clock.ts';

export interface DemoOptions {
  readonly stateDir: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly consoleFolder: string;
  /** The challenge window in seconds; a real market's is 24 hours. */
  readonly windowSeconds: number;
  readonly providers: readonly string[];
  readonly logLevel: string;
  /** Runners that manifests may name beside the usual ones. */
  readonly runners?: readonly string[];
  /** The connection profile of a Fabric network that holds the facts; without one the embedded ledger does. */
  readonly fabricProfile?: string;
}

/** Somebody in the demo, with a key that lives as long as this start. */
export interface DemoPerson {
  readonly account: AccountId;
  readonly name: string;
  readonly apiKey: string;
}

export interface DemoMarket {
  readonly url: string;
  readonly running: RunningServer;
  readonly customer: DemoPerson;
  readonly providers: readonly DemoPerson[];
  /** Decides disputes. */
  readonly arbiter: DemoPerson;
  /** A link that signs a browser in as the customer, once. */
  signInLink(): Promise<string>;
  close(): Promise<void>;
}

const bankKey = 'sk_test_assay_demo_bank';
const webhookSecret = 'whsec_assay_demo_bank';

/** Starts the demo's market; state of an earlier start in the same folder goes on. */
export async function openDemoMarket(options: DemoOptions): Promise<DemoMarket> {
  await mkdir(options.stateDir, { recursive: true, mode: 0o700 });
  const bank = await startStripeSimulator({
    clock: systemClock,
    secretKey: bankKey,
    webhookSecret,
    statePath: join(options.stateDir, 'bank.json'),
  });
  let running: RunningServer;
  try {
    running = await startServer(demoConfig(options, `http://${bank.host}:${bank.port}`));
  } catch (error) {
    await bank.stop();
    throw error;
  }
  const close = async (): Promise<void> => {
    await running.close();
    await bank.stop();
  };
  try {
    bank.webhooks.setUrl(`${running.url}/payment/webhook/eu`);
    const { url, db, server } = running;
    // A network on this machine: the demo holds both organisations' keys and votes for both, on the ledger.
    if (options.fabricProfile !== undefined) await agreeOnWindow(running.ledger, options.windowSeconds * 1000);
    const customer = await enroll(db, 'customer', ['customer', 'operator', 'auditor']);
    const arbiter = await enroll(db, 'arbiter', ['arbiter']);
    const providers: DemoPerson[] = [];
    for (const name of options.providers) {
      providers.push(await enroll(db, name, ['provider']));
    }
    const signInLink = async (): Promise<string> =>
      `${url}/#ticket=${await server.signIn.issueTicket(customer.account)}`;
    return { url, running, customer, providers, arbiter, signInLink, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Refuses `config.invalid`. */
function demoConfig(options: DemoOptions, bankUrl: string): Config {
  return readConfig({
    ASSAY_PORT: String(options.port),
    ASSAY_STATE_DIR: options.stateDir,
    ASSAY_CONSOLE_DIR: options.consoleFolder,
    ASSAY_CHALLENGE_WINDOW: `${options.windowSeconds}s`,
    ASSAY_PAYOUT_DELAY: '0ms',
    ASSAY_ASK_PROVIDER_AFTER: '5s',
    ASSAY_IGNORE_NETWORK: 'true',
    ASSAY_LOG_LEVEL: options.logLevel,
    ASSAY_RUNNERS: [...new Set([...settings.runners.usual.split(','), ...(options.runners ?? [])])].join(','),
    ...(options.fabricProfile === undefined
      ? {}
      : { ASSAY_LEDGER: 'fabric', ASSAY_FABRIC_PROFILE: options.fabricProfile }),
    STRIPE_URL: bankUrl,
    STRIPE_EU_SECRET_KEY: bankKey,
    STRIPE_EU_WEBHOOK_SECRET: webhookSecret,
    // One machine runs server, workers and console: its own calls must not meet the limits for strangers.
    ASSAY_RATE_PER_MINUTE: '60000',
    ASSAY_RATE_BURST: '10000',
  });
}

const keyName = 'demo';

/** The account of that name with a fresh key; keys of earlier starts end. */
async function enroll(db: Database, name: string, roles: readonly Role[]): Promise<DemoPerson> {
  const email = `${name}@demo.example`;
  const known = await findAccountByEmail(db, email);
  const account =
    known?.id ??
    (await addAccount(db, { id: newId('account', systemIds), email, passwordHash: null, region: 'eu', roles })).id;
  await setRoles(db, account, roles);
  for (const old of await listApiKeys(db, account)) {
    if (old.name === keyName) await removeApiKey(db, account, old.id);
  }
  const apiKey = newToken('apiKey');
  const id = newId('apiKey', systemIds);
  await addApiKey(db, { id, account, name: keyName, keyHash: hashToken(apiKey), scopes: [...scopeNames] });
  return { account, name, apiKey };
}
