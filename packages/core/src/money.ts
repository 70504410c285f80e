/** Money is whole minor units of one currency; `number` never touches it. */

import { refuse } from './errors.ts';

/** How many decimal places each supported currency has (ISO 4217). */
export const currencyExponents = { USD: 2, EUR: 2, RUB: 2, CNY: 2, JPY: 0 } as const;
export type Currency = keyof typeof currencyExponents;

export interface Money {
  readonly currency: Currency;
  /** Whole minor units (cents); may be negative in differences, never in a posting. */
  readonly minor: bigint;
}

/** `{currency, minor}` with the minor units as a decimal string, as JSON carries it. */
export interface MoneyJson {
  readonly currency: Currency;
  readonly minor: string;
}

export function money(currency: Currency, minor: bigint): Money {
  return { currency, minor };
}

export function isCurrency(text: string): text is Currency {
  return Object.hasOwn(currencyExponents, text);
}

export function moneyToJson(value: Money): MoneyJson {
  return { currency: value.currency, minor: value.minor.toString() };
}

/** Reads `{currency, minor}`; refuses `money.malformed`. */
export function moneyFromJson(value: MoneyJson): Money {
  if (!isCurrency(value.currency) || !/^-?\d{1,18}$/.test(value.minor)) {
    throw refuse('money.malformed', 'money is {currency, minor} with minor as a decimal string', { value });
  }
  return money(value.currency, BigInt(value.minor));
}

/** Reads a decimal amount such as `5`, `5.1` or `5.10`; refuses `money.malformed`. */
export function parseAmount(currency: Currency, text: string): Money {
  const exponent = currencyExponents[currency];
  const match = /^(\d{1,15})(?:\.(\d+))?$/.exec(text);
  const fraction = match?.[2] ?? '';
  if (!match || fraction.length > exponent) {
    throw refuse('money.malformed', `an amount in ${currency} has at most ${exponent} decimals`, { text });
  }
  return money(currency, BigInt(`${match[1]}${fraction.padEnd(exponent, '0')}`));
}

/** Writes `5.10 USD`. */
export function formatMoney(value: Money): string {
  return `${formatAmount(value)} ${value.currency}`;
}

/** Writes `5.10`, by string work only. */
export function formatAmount(value: Money): string {
  const exponent = currencyExponents[value.currency];
  const digits = (value.minor < 0n ? -value.minor : value.minor).toString().padStart(exponent + 1, '0');
  const whole = digits.slice(0, digits.length - exponent);
  const sign = value.minor < 0n ? '-' : '';
  return exponent === 0 ? `${sign}${whole}` : `${sign}${whole}.${digits.slice(-exponent)}`;
}

/** The sum; refuses `money.currency_mismatch`. */
export function add(a: Money, b: Money): Money {
  sameCurrency(a, b);
  return money(a.currency, a.minor + b.minor);
}

/** The difference; refuses `money.currency_mismatch`. */
export function subtract(a: Money, b: Money): Money {
  sameCurrency(a, b);
  return money(a.currency, a.minor - b.minor);
}

/** `value` times a whole number. */
export function times(value: Money, count: bigint): Money {
  return money(value.currency, value.minor * count);
}

/**
 * Splits `total` in proportion to `weights` so that the parts sum to the whole: floors first, then one minor unit each
 * to the largest remainders, the earlier part first on a tie (Hamilton's method). Refuses `money.bad_split` for a
 * negative total or weight, or when all weights are zero.
 */
export function split(total: Money, weights: readonly bigint[]): Money[] {
  const sum = weights.reduce((a, b) => a + b, 0n);
  if (total.minor < 0n || sum <= 0n || weights.some((weight) => weight < 0n)) {
    throw refuse('money.bad_split', 'a split needs an amount of zero or more and at least one positive weight', {});
  }
  const parts = weights.map((weight, index) => ({
    index,
    minor: (total.minor * weight) / sum,
    remainder: (total.minor * weight) % sum,
  }));
  let left = total.minor - parts.reduce((a, part) => a + part.minor, 0n);
  const byRemainder = parts.toSorted((a, b) =>
    a.remainder === b.remainder ? a.index - b.index : a.remainder > b.remainder ? -1 : 1,
  );
  for (const part of byRemainder) {
    if (left === 0n) break;
    part.minor += 1n;
    left -= 1n;
  }
  return parts.map((part) => money(total.currency, part.minor));
}

function sameCurrency(a: Money, b: Money): void {
  if (a.currency !== b.currency) {
    throw refuse('money.currency_mismatch', `cannot combine ${a.currency} with ${b.currency}`, {});
  }
}
