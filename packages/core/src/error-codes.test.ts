import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { errorCodes, isErrorCode } from './error-codes.ts';
import { assert, Fault, refuse, Refusal, unreachable } from './errors.ts';

const packages = new URL('../../', import.meta.url).pathname;

/** Codes that the description of the API promises and nothing refuses with yet. */
const awaited = new Set<string>([
  'account.not_found',
  'worker.busy',
  'unit.not_found',
  'result.metric_missing',
  'quote.changed',
  'payment.amount_mismatch',
  'payout.refused',
  'payout.account_missing',
  'ledger.tampered',
]);

function sources(): string[] {
  const files = readdirSync(packages, { recursive: true, encoding: 'utf8' });
  const own = files.filter(
    (file) => /^[^/]+\/(?:src|migrations)\/.*\.(?:tsx?|sql)$/.test(file) && !file.includes('.test.'),
  );
  return own
    .filter((file) => !file.endsWith('core/src/error-codes.ts'))
    .map((file) => readFileSync(join(packages, file), 'utf8'));
}

describe('error codes', () => {
  const all = Object.entries(errorCodes);

  it('are noun.problem, with a status of HTTP and a sentence of their own', () => {
    for (const [code, { status, text }] of all) {
      expect(code).toMatch(/^[a-z]+(?:_[a-z]+)*\.[a-z]+(?:_[a-z]+)*$/);
      expect(status >= 400 && status < 600, code).toBe(true);
      expect(text, code).toMatch(/^[A-Z].*\.$/);
    }
    expect(new Set(all.map(([, { text }]) => text)).size).toBe(all.length);
  });

  it('are each used somewhere', () => {
    const text = sources().join('\n');
    const composed =
      /^(?:manifest|job|unit|replica|escrow)\.(?:malformed|unknown_key|out_of_bounds|unsupported|wrong_state)$/;
    const unused = all.map(([code]) => code).filter((code) => !composed.test(code) && !text.includes(`'${code}'`));
    expect(unused.filter((code) => !awaited.has(code))).toEqual([]);
  });

  it('are known by name only', () => {
    expect(isErrorCode('job.not_found')).toBe(true);
    for (const text of ['job', 'constructor', 'toString', '']) expect(isErrorCode(text)).toBe(false);
  });
});

describe('errors', () => {
  it('carry the status of their code', () => {
    const refusal = refuse('job.not_found', 'no such job', { job: 'x' });
    expect(refusal).toBeInstanceOf(Refusal);
    expect(refusal).toMatchObject({
      status: 404,
      code: 'job.not_found',
      details: { job: 'x' },
      message: 'no such job',
    });
    const cause = new Error('disk');
    expect(new Fault('store.unavailable', 'gone', { cause, retry: true })).toMatchObject({
      status: 503,
      retry: true,
      cause,
    });
  });

  it('report our own bugs', () => {
    expect(() => assert(false, 'two is one')).toThrow('two is one');
    expect(() => assert(0 === 0, 'fine')).not.toThrow();
    expect(() => unreachable('x' as never)).toThrow('"x"');
  });
});
