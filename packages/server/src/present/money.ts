/** Money and instants as the wire carries them. */

import { isCurrency, refuse, type MoneyJson } from '@assay/core';

/** Minor units with their currency as stored. */
export function moneyOf(currency: string, minor: bigint): MoneyJson {
  const code = currency.trim();
  if (!isCurrency(code)) throw refuse('money.malformed', `unknown currency ${code}`, {});
  return { currency: code, minor: minor.toString() };
}

/** As `moneyOf`, null for null. */
export function moneyOrNull(currency: string, minor: bigint | null): MoneyJson | null {
  return minor === null ? null : moneyOf(currency, minor);
}

/** ISO 8601, null for null. */
export function timeOrNull(at: Date | null): string | null {
  return at === null ? null : at.toISOString();
}

/** ISO 8601 of milliseconds, null for null. */
export function msOrNull(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}
