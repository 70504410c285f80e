import { commissionUpTo, standardCommission } from '@assay/core';
import { describe, expect, it } from 'vitest';
import { commission, commissionText } from './commission-kind.ts';
import { readConfig } from './config.ts';

describe('the commission setting', () => {
  it('writes the standard terms as the document states them', () => {
    expect(commission.read('8% 10000:12%')).toEqual(standardCommission);
    expect(commissionText(standardCommission)).toBe('8% 10000:12%');
  });

  it('is the standard terms where nobody sets it', () => {
    expect(readConfig({}).commission).toEqual(standardCommission);
  });

  it.each(['8%', '0%', '5.25% 100:7.5% 1000:0%', '0.05% 1:99.99%'])('writes %j as it reads it', (text) => {
    expect(commissionText(commission.read(text)!)).toBe(text);
  });

  it('takes fractions of a per cent and more than two rates', () => {
    const terms = commission.read('5.25%  100:7.5% 1000:0%');
    expect(terms?.tiers).toEqual([
      { fromMinor: 0n, basisPoints: 525n },
      { fromMinor: 100_00n, basisPoints: 750n },
      { fromMinor: 1000_00n, basisPoints: 0n },
    ]);
    expect(terms && commissionUpTo(terms, 2000_00n)).toBe(5_25n + 67_50n);
  });

  it.each([
    '',
    '8',
    '8 %',
    '-1%',
    '100%',
    '10:8%',
    '8% 12%',
    '8% 100:9% 100:10%',
    '8% 100:9% 50:10%',
    '8.123%',
    '8% 1e3:9%',
  ])('refuses %j', (text) => {
    expect(commission.read(text)).toBeUndefined();
  });

  it('bounds the number of rates', () => {
    const more = Array.from({ length: 10 }, (_, index) => `${index + 1}:1%`).join(' ');
    expect(commission.read(`8% ${more}`)).toBeUndefined();
  });
});
