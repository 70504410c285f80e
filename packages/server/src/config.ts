/** The configuration: one table, read once, all faults reported together. Nothing else reads the environment. */

import { limits, refuse, standardCommission } from '@assay/core';
import { commission, commissionText } from './commission-kind.ts';
import { choice, duration, flag, list, origin, secret, text, whole, type Kind } from './setting-kinds.ts';

/** One setting: its variable, its kind, the text that stands for it when the variable is missing, and what it does. */
export interface Setting<T> {
  readonly variable: string;
  readonly kind: Kind<T>;
  /** Undefined: the setting may be missing. */
  readonly usual: string | undefined;
  readonly doc: string;
}

function setting<T>(variable: string, kind: Kind<T>, usual: string, doc: string): Setting<T> & { usual: string } {
  return { variable, kind, usual, doc };
}

function optional<T>(variable: string, kind: Kind<T>, doc: string): Setting<T> & { usual: undefined } {
  return { variable, kind, usual: undefined, doc };
}

/** Every setting of a server. */
export const settings = {
  host: setting('ASSAY_HOST', text, '127.0.0.1', 'The address to listen on.'),
  port: setting('ASSAY_PORT', whole(0, 65_535), '8080', 'The port to listen on; 0 takes a free one.'),
  publicOrigin: optional('ASSAY_PUBLIC_URL', origin, 'Where people find this server; by default where it listens.'),
  trustProxy: setting('ASSAY_TRUST_PROXY', list, '', 'Addresses of proxies whose X-Forwarded-For is believed.'),
  stateFolder: setting('ASSAY_STATE_DIR', text, '.assay', 'Where embedded data, objects and keys lie.'),
  consoleFolder: optional('ASSAY_CONSOLE_DIR', text, 'The built console; without one only the API is served.'),
  logLevel: setting('ASSAY_LOG_LEVEL', choice(['silent', 'error', 'warn', 'info', 'debug']), 'info', 'What is logged.'),
  databaseUrl: optional('DATABASE_URL', secret, 'PostgreSQL as assay_app; without one an embedded server is started.'),
  databaseOwnerUrl: optional('DATABASE_OWNER_URL', secret, 'PostgreSQL as assay_owner, to apply migrations at start.'),
  databaseConnections: setting(
    'ASSAY_DATABASE_CONNECTIONS',
    whole(2, 500),
    String(limits.databaseConnections),
    'The most connections of one server.',
  ),
  objectKeys: optional('ASSAY_OBJECT_KEYS', text, 'The file of the regions’ object keys; by default under the state.'),
  ledgerKey: optional('ASSAY_LEDGER_KEY', text, 'The file of the ledger’s key; by default under the state.'),
  ledger: setting('ASSAY_LEDGER', choice(['embedded', 'fabric']), 'embedded', 'Which engine holds the facts.'),
  fabricProfile: optional(
    'ASSAY_FABRIC_PROFILE',
    text,
    'The connection.json of a Fabric network; by default fabric/connection.json under the state.',
  ),
  fabricChannel: setting('ASSAY_FABRIC_CHANNEL', text, 'public-marketplace', 'The channel of the Fabric network.'),
  gatewayPort: optional(
    'ASSAY_GATEWAY_PORT',
    whole(0, 65_535),
    'The port of the ledger’s gateway for programs with client certificates; without one there is none.',
  ),
  gatewayHost: setting('ASSAY_GATEWAY_HOST', text, '127.0.0.1', 'The address that the gateway listens on.'),
  gatewayCertificate: optional('ASSAY_GATEWAY_CERT', text, 'The gateway’s certificate and those above it, PEM.'),
  gatewayKey: optional('ASSAY_GATEWAY_KEY', text, 'The private key of that certificate, PEM, for its owner only.'),
  gatewayAuthorities: optional('ASSAY_GATEWAY_CLIENT_CA', text, 'Who issues client certificates, PEM.'),
  gatewayClients: optional('ASSAY_GATEWAY_CLIENTS', text, 'Which client certificate is which account, JSON.'),
  processes: setting('ASSAY_PROCESSES', flag, 'true', 'Whether this server also runs the background processes.'),
  runners: setting(
    'ASSAY_RUNNERS',
    list,
    'platform-runner:python-3.14,platform-runner:r,platform-runner:wasi,platform-runner:python,' +
      'platform-runner:pytorch,platform-runner:gromacs,platform-runner:openfoam',
    'The allowlist of runners.',
  ),
  gpuRunners: setting(
    'ASSAY_GPU_RUNNERS',
    list,
    '',
    'Those of them whose units some workers give a graphics processor; the drivers that come with Assay give none.',
  ),
  runnerDigests: setting(
    'ASSAY_RUNNER_DIGESTS',
    list,
    '',
    'Digests of runners that count, as workers register them; empty: any, for markets of trusted workers.',
  ),
  challengeWindowMs: setting('ASSAY_CHALLENGE_WINDOW', duration, '24h', 'How long a customer may dispute a result.'),
  commission: setting(
    'ASSAY_COMMISSION',
    commission,
    commissionText(standardCommission),
    'What the platform keeps of a provider’s gross month in USD: rates from thresholds on; frozen with each job.',
  ),
  payWithinMs: setting('ASSAY_PAY_WITHIN', duration, '24h', 'How long a new job waits for its payment.'),
  payoutDelayMs: setting('ASSAY_PAYOUT_DELAY', duration, '1h', 'How long earnings are gathered into one payout.'),
  askAgainMs: setting('ASSAY_ASK_PROVIDER_AFTER', duration, '1m', 'When a payment without news is asked about.'),
  ignoreNetwork: setting(
    'ASSAY_IGNORE_NETWORK',
    flag,
    'false',
    'Workers of one network count as independent: only for a market on one machine.',
  ),
  paymentMode: setting(
    'ASSAY_PAYMENT_MODE',
    choice(['sandbox', 'live']),
    'sandbox',
    'What the payment providers’ keys are for.',
  ),
  stripeUrl: optional('STRIPE_URL', origin, 'A simulator in place of Stripe.'),
  stripeEuKey: optional('STRIPE_EU_SECRET_KEY', secret, 'Stripe’s key for the region eu.'),
  stripeEuWebhookSecret: optional('STRIPE_EU_WEBHOOK_SECRET', secret, 'Checks Stripe’s webhooks for eu.'),
  stripeUsKey: optional('STRIPE_US_SECRET_KEY', secret, 'Stripe’s key for the region us.'),
  stripeUsWebhookSecret: optional('STRIPE_US_WEBHOOK_SECRET', secret, 'Checks Stripe’s webhooks for us.'),
  ratePerMinute: setting('ASSAY_RATE_PER_MINUTE', whole(1, 1_000_000), '1200', 'Requests of one account or address.'),
  rateBurst: setting('ASSAY_RATE_BURST', whole(1, 1_000_000), '400', 'Of these at once.'),
  deviceRatePerMinute: setting(
    'ASSAY_DEVICE_RATE_PER_MINUTE',
    whole(1, 1_000_000),
    '12000',
    'Requests of one device; all behind one address may send 32 times as many.',
  ),
  deviceRateBurst: setting('ASSAY_DEVICE_RATE_BURST', whole(1, 1_000_000), '2000', 'Of these at once.'),
} as const;

type Settings = typeof settings;
type ValueOf<S> = S extends { kind: Kind<infer T>; usual: infer U } ? (U extends string ? T : T | undefined) : never;

/** What the table reads to. */
export type Config = { readonly [K in keyof Settings]: ValueOf<Settings[K]> };

/** Variables by name. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Reads the table; refuses `config.invalid` with every fault. Unknown variables that look like ours are faults too. */
export function readConfig(environment: Environment): Config {
  const faults: string[] = [];
  const values: Record<string, unknown> = {};
  for (const [name, { variable, kind, usual }] of Object.entries<Setting<unknown>>(settings)) {
    const given = environment[variable] ?? usual;
    if (given === undefined || (given === '' && usual === undefined)) continue;
    const value = given === '' && kind === list ? [] : kind.read(given);
    if (value === undefined) faults.push(`${variable} must be ${kind.expects}`);
    else values[name] = value;
  }
  const config = values as unknown as Config;
  faults.push(...pairFaults(config));
  if (faults.length > 0) throw refuse('config.invalid', faults.join('; '), { faults });
  return config;
}

/** Settings that make no sense without one another. */
function pairFaults(config: Config): string[] {
  const faults: string[] = [];
  if ((config.stripeEuKey === undefined) !== (config.stripeEuWebhookSecret === undefined)) {
    faults.push('STRIPE_EU_SECRET_KEY and STRIPE_EU_WEBHOOK_SECRET belong together');
  }
  if ((config.stripeUsKey === undefined) !== (config.stripeUsWebhookSecret === undefined)) {
    faults.push('STRIPE_US_SECRET_KEY and STRIPE_US_WEBHOOK_SECRET belong together');
  }
  if (config.stripeUrl !== undefined && config.paymentMode === 'live') {
    faults.push('STRIPE_URL is a simulator and cannot be live');
  }
  if (config.databaseOwnerUrl !== undefined && config.databaseUrl === undefined) {
    faults.push('DATABASE_OWNER_URL needs DATABASE_URL');
  }
  // Either may be missing here, where its own text is faulty.
  const strange = (config.gpuRunners ?? []).filter((runner) => !(config.runners ?? [runner]).includes(runner));
  if (strange.length > 0) faults.push(`ASSAY_GPU_RUNNERS names ${strange.join(', ')}, which ASSAY_RUNNERS lacks`);
  faults.push(...gatewayFaults(config));
  return faults;
}

function gatewayFaults(config: Config): string[] {
  const names = ['gatewayCertificate', 'gatewayKey', 'gatewayAuthorities', 'gatewayClients'] as const;
  const given = names.filter((name) => config[name] !== undefined);
  if (config.gatewayPort === undefined) {
    return given.map((name) => `${settings[name].variable} needs ASSAY_GATEWAY_PORT`);
  }
  const missing = names.filter((name) => config[name] === undefined);
  return missing.map((name) => `ASSAY_GATEWAY_PORT needs ${settings[name].variable}`);
}

/** The configuration of this process. */
export function processConfig(): Config {
  return readConfig(process.env);
}
