import * as fc from 'fast-check';
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { Refusal } from './errors.ts';
import { parseManifest } from './manifest.ts';
import { money } from './money.ts';
import { pricePerReplica, quoteJob, standardRateCard, termsHash } from './quote.ts';

const sha256 = (bytes: Uint8Array): Uint8Array => createHash('sha256').update(bytes).digest();
const runner = 'platform-runner:python-3.14';
const manifest = (more: object) =>
  parseManifest({ runner, entry_point: 'main.py', budget_usd: 100, ...more }, { runners: [runner] });
const usd = (minor: bigint) => money('USD', minor);

describe('pricePerReplica', () => {
  it('adds up core-hours, GB-hours and GPU-hours, rounded up to a cent', () => {
    const hour = { cpu_cores: 4, memory_gb: 8, gpu: false, expected_minutes: 60 };
    expect(pricePerReplica(standardRateCard, hour)).toEqual(usd(20n));
    expect(pricePerReplica(standardRateCard, { ...hour, gpu: true })).toEqual(usd(80n));
    expect(pricePerReplica(standardRateCard, { ...hour, expected_minutes: 61 })).toEqual(usd(21n));
    expect(pricePerReplica(standardRateCard, { ...hour, cpu_cores: 4.001 })).toEqual(usd(21n));
  });

  it('has a least price', () => {
    const tiny = { cpu_cores: 0.1, memory_gb: 0.125, gpu: false, expected_minutes: 0.01 };
    expect(pricePerReplica(standardRateCard, tiny)).toEqual(usd(3n));
  });

  it('never falls when more is asked for', () => {
    const amount = fc.double({ min: 0.1, max: 64, noNaN: true });
    fc.assert(
      fc.property(amount, amount, amount, amount, fc.boolean(), (cores, memory, minutes, more, gpu) => {
        const base = { cpu_cores: cores, memory_gb: memory, gpu, expected_minutes: minutes };
        const price = pricePerReplica(standardRateCard, base).minor;
        for (const key of ['cpu_cores', 'memory_gb', 'expected_minutes'] as const) {
          expect(pricePerReplica(standardRateCard, { ...base, [key]: base[key] + more }).minor).toBeGreaterThanOrEqual(
            price,
          );
        }
        expect(pricePerReplica(standardRateCard, { ...base, gpu: true }).minor).toBeGreaterThanOrEqual(price);
      }),
    );
  });
});

describe('quoteJob', () => {
  it('caps at the price of every planned replica, the merge included', () => {
    expect(quoteJob(standardRateCard, manifest({ parallelism: { chunks: 10, merge_script: 'merge.py' } }))).toEqual({
      rateCard: standardRateCard.version,
      units: 11,
      redundancy: 3,
      perReplica: usd(3n),
      cap: usd(99n),
      budget: usd(100_00n),
    });
  });

  it('takes a budget of exactly the cap and refuses one cent less, with both', () => {
    expect(quoteJob(standardRateCard, manifest({ budget_usd: 0.09 })).cap).toEqual(usd(9n));
    let refusal: unknown;
    try {
      quoteJob(standardRateCard, manifest({ budget_usd: 0.08 }));
    } catch (error) {
      refusal = error;
    }
    expect(refusal).toBeInstanceOf(Refusal);
    expect(refusal).toMatchObject({
      code: 'quote.over_budget',
      details: { cap: '0.09 USD', budget: '0.08 USD', units: 1, redundancy: 3 },
    });
  });
});

describe('termsHash', () => {
  it('binds every part of the terms', () => {
    const terms = { perReplica: usd(3n), cap: usd(9n), deposit: usd(50n), redundancy: 3, units: 1 };
    const others = [{ perReplica: usd(4n) }, { cap: usd(10n) }, { deposit: usd(51n) }, { redundancy: 4 }, { units: 2 }];
    const hashes = [{}, ...others].map((change) => termsHash(sha256, { ...terms, ...change }));
    expect(new Set(hashes).size).toBe(hashes.length);
    expect(termsHash(sha256, Object.assign({ name: 'not a term' }, terms))).toBe(hashes[0]);
  });
});
