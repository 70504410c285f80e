/** Money and instants as the wire carries them. */

import type { MoneyLine } from '@assay/market';
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

/** A movement with people's names in place of the ids that stand for them; ids without a name stay. */
export function presentMoneyLine(line: MoneyLine, names: ReadonlyMap<string, string>): MoneyLine {
  const named = (text: string): string =>
    text.replaceAll(/\b(acc|out)_[0-9a-f]{32}\b/g, (id, kind) => {
      const name = names.get(id);
      if (name === undefined) return id;
      return kind === 'out' ? `to ${name}` : name;
    });
  return { ...line, from: named(line.from), to: named(line.to) };
}
