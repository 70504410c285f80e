import { readFile } from 'node:fs/promises';
import { Refusal } from '@assay/core';
import { describe, expect, test } from 'vitest';
import { readConfig, settings, type Setting } from './config.ts';

function faultsOf(environment: Record<string, string>): unknown {
  try {
    readConfig(environment);
    return [];
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    expect(error.code).toBe('config.invalid');
    return error.details['faults'];
  }
}

describe('the configuration', () => {
  test('needs nothing', () => {
    expect(readConfig({})).toMatchObject({
      host: '127.0.0.1',
      port: 8080,
      challengeWindowMs: 86_400_000,
      processes: true,
      ignoreNetwork: false,
      trustProxy: [],
      runners: expect.arrayContaining(['platform-runner:python-3.14', 'platform-runner:gromacs']),
      paymentMode: 'sandbox',
    });
    expect(readConfig({})).not.toHaveProperty('databaseUrl');
  });

  test('reports all faults at once', () => {
    expect(
      faultsOf({
        ASSAY_PORT: '70000',
        ASSAY_CHALLENGE_WINDOW: 'soon',
        ASSAY_PROCESSES: 'maybe',
        ASSAY_PUBLIC_URL: 'https://market.example/path',
        STRIPE_EU_SECRET_KEY: 'sk_test_1',
      }),
    ).toEqual([
      'ASSAY_PORT must be a whole number from 0 to 65535',
      'ASSAY_PUBLIC_URL must be an http or https address without a path',
      'ASSAY_PROCESSES must be true or false',
      'ASSAY_CHALLENGE_WINDOW must be a time such as 24h, 30m, 90s or 500ms',
      'STRIPE_EU_SECRET_KEY and STRIPE_EU_WEBHOOK_SECRET belong together',
    ]);
  });

  test.each([
    [{ STRIPE_URL: 'http://127.0.0.1:1', ASSAY_PAYMENT_MODE: 'live' }, 'STRIPE_URL is a simulator and cannot be live'],
    [{ DATABASE_OWNER_URL: 'postgres://x' }, 'DATABASE_OWNER_URL needs DATABASE_URL'],
    [{ STRIPE_US_WEBHOOK_SECRET: 'whsec_1' }, 'STRIPE_US_SECRET_KEY and STRIPE_US_WEBHOOK_SECRET belong together'],
    [{ ASSAY_RUNNERS: 'a:1', ASSAY_GPU_RUNNERS: 'a:1,b:1' }, 'ASSAY_GPU_RUNNERS names b:1, which ASSAY_RUNNERS lacks'],
    [{ ASSAY_GATEWAY_KEY: 'key.pem' }, 'ASSAY_GATEWAY_KEY needs ASSAY_GATEWAY_PORT'],
    [
      {
        ASSAY_GATEWAY_PORT: '8443',
        ASSAY_GATEWAY_CERT: 'a',
        ASSAY_GATEWAY_KEY: 'b',
        ASSAY_GATEWAY_CLIENT_CA: 'c',
      },
      'ASSAY_GATEWAY_PORT needs ASSAY_GATEWAY_CLIENTS',
    ],
  ])('%j makes no sense', (environment, fault) => {
    expect(faultsOf(environment)).toEqual([fault]);
  });

  test('never repeats a secret in a fault', () => {
    expect(JSON.stringify(faultsOf({ STRIPE_EU_SECRET_KEY: 'sk_test_geheim' }))).not.toContain('geheim');
  });

  test.each([
    ['ASSAY_CHALLENGE_WINDOW', '1500ms', { challengeWindowMs: 1500 }],
    ['ASSAY_CHALLENGE_WINDOW', '2d', { challengeWindowMs: 172_800_000 }],
    ['ASSAY_TRUST_PROXY', '10.0.0.1, 10.0.0.2', { trustProxy: ['10.0.0.1', '10.0.0.2'] }],
    ['ASSAY_PROCESSES', '0', { processes: false }],
    ['ASSAY_PUBLIC_URL', 'https://market.example/', { publicOrigin: 'https://market.example' }],
    ['ASSAY_LOG_LEVEL', 'silent', { logLevel: 'silent' }],
  ])('%s=%s', (variable, value, expected) => {
    expect(readConfig({ [variable]: value })).toMatchObject(expected);
  });

  test('has one variable per setting, each with a default that reads', () => {
    const rows = Object.values<Setting<unknown>>(settings);
    expect(new Set(rows.map((row) => row.variable)).size).toBe(rows.length);
    for (const { kind, usual } of rows) if (usual !== undefined) expect(kind.read(usual)).toBeDefined();
  });

  test('is documented row by row', async () => {
    const page = await readFile('docs/reference/configuration.md', 'utf8');
    for (const { variable, doc } of Object.values<Setting<unknown>>(settings)) {
      expect(page).toContain(`| \`${variable}\` |`);
      expect(page).toContain(doc);
    }
  });
});
