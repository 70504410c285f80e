import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  add,
  currencyExponents,
  formatAmount,
  formatMoney,
  money,
  moneyFromJson,
  moneyToJson,
  parseAmount,
  split,
  subtract,
  times,
  type Currency,
} from './money.ts';

const currency = fc.constantFrom(...(Object.keys(currencyExponents) as Currency[]));
const minor = fc.bigInt({ min: -(10n ** 18n) + 1n, max: 10n ** 18n - 1n });

describe('money', () => {
  it('goes through JSON unchanged', () => {
    fc.assert(
      fc.property(currency, minor, (code, amount) => {
        const value = money(code, amount);
        expect(moneyFromJson(JSON.parse(JSON.stringify(moneyToJson(value))))).toEqual(value);
      }),
    );
  });

  it('goes through decimal text unchanged', () => {
    fc.assert(
      fc.property(currency, fc.bigInt({ min: 0n, max: 10n ** 15n }), (code, amount) => {
        expect(parseAmount(code, formatAmount(money(code, amount)))).toEqual(money(code, amount));
      }),
    );
  });

  it('is written as people write it', () => {
    expect(formatMoney(money('USD', 5n))).toBe('0.05 USD');
    expect(formatMoney(money('USD', -123456n))).toBe('-1234.56 USD');
    expect(formatMoney(money('JPY', 500n))).toBe('500 JPY');
    expect(parseAmount('USD', '5.1')).toEqual(money('USD', 510n));
  });

  it.each(['', '-1', '1.', '.5', '1.234', '1e3', ' 1', '1,5', '0x1', '1'.repeat(16)])('is not read from %j', (text) => {
    expect(() => parseAmount('USD', text)).toThrow(/decimals/);
  });

  it.each([
    { currency: 'XXX', minor: '1' },
    { currency: 'USD', minor: '1.5' },
    { currency: 'USD', minor: '' },
    { currency: 'USD', minor: '1'.repeat(19) },
  ])('is not read from %j', (value) => expect(() => moneyFromJson(value as never)).toThrow(/decimal string/));

  it('does not mix currencies', () => {
    expect(() => add(money('USD', 1n), money('EUR', 1n))).toThrow(/combine/);
    expect(() => subtract(money('USD', 1n), money('EUR', 1n))).toThrow(/combine/);
    expect(add(times(money('USD', 2n), 3n), subtract(money('USD', 5n), money('USD', 7n)))).toEqual(money('USD', 4n));
  });
});

function minors(total: bigint, by: bigint[]): bigint[] {
  return split(money('USD', total), by).map((part) => part.minor);
}

describe('split', () => {
  const weights = fc.array(fc.bigInt({ min: 0n, max: 10n ** 9n }), { minLength: 1, maxLength: 20 });

  it('sums to the whole, and no part is more than a minor unit off its share', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 10n ** 12n }), weights, (total, by) => {
        const sum = by.reduce((a, b) => a + b, 0n);
        fc.pre(sum > 0n);
        const parts = split(money('USD', total), by).map((part) => part.minor);
        expect(parts.reduce((a, b) => a + b, 0n)).toBe(total);
        for (const [index, part] of parts.entries()) {
          const floor = (total * (by[index] ?? 0n)) / sum;
          expect(part === floor || part === floor + 1n).toBe(true);
          if (by[index] === 0n) expect(part).toBe(0n);
        }
      }),
    );
  });

  it('gives the odd cents to the largest remainders, the earlier first', () => {
    expect(minors(1001n, [1n, 1n])).toEqual([501n, 500n]);
    expect(minors(10n, [1n, 1n, 1n])).toEqual([4n, 3n, 3n]);
    expect(minors(10n, [2n, 3n, 3n])).toEqual([2n, 4n, 4n]);
  });

  it('refuses what cannot be split', () => {
    const cannot: [bigint, bigint[]][] = [
      [-1n, [1n]],
      [1n, [0n, 0n]],
      [1n, []],
      [1n, [2n, -1n]],
    ];
    for (const [total, by] of cannot) expect(() => split(money('USD', total), by)).toThrow(/positive weight/);
  });
});
