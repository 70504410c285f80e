/** The commission as a setting: `8% 10000:12%` takes 8 % from the first cent and 12 % of what exceeds 10 000 a month. */

import { currencyExponents, type CommissionTerms, type CommissionTier } from '@assay/core';
import type { Kind } from './setting-kinds.ts';

const currency = 'USD';
const tierText = /^(?:(\d{1,12}):)?(\d{1,2})(?:\.(\d{1,2}))?%$/;
const tiersMax = 10;

/** Terms in USD; the thresholds are whole dollars of a provider's month and ascend. */
export const commission: Kind<CommissionTerms> = {
  name: 'commission',
  expects: 'rates such as 8% 10000:12%, the first without a threshold and the thresholds ascending',
  read(given) {
    const words = given.trim().split(/\s+/);
    const tiers: CommissionTier[] = [];
    for (const word of words) {
      const tier = tierOf(word);
      const last = tiers.at(-1);
      const first = last === undefined;
      if (!tier || first !== !word.includes(':') || (last && tier.fromMinor <= last.fromMinor)) return undefined;
      tiers.push(tier);
    }
    return tiers.length > tiersMax ? undefined : { currency, tiers };
  },
};

/** Terms in USD as the setting writes them; what `commission` reads as them again. */
export function commissionText({ tiers }: CommissionTerms): string {
  const unit = 10n ** BigInt(currencyExponents[currency]);
  return tiers
    .map(({ fromMinor, basisPoints }, index) => {
      const fraction = String(basisPoints % 100n)
        .padStart(2, '0')
        .replace(/0+$/, '');
      const rate = `${basisPoints / 100n}${fraction === '' ? '' : `.${fraction}`}%`;
      return index === 0 ? rate : `${fromMinor / unit}:${rate}`;
    })
    .join(' ');
}

function tierOf(word: string): CommissionTier | undefined {
  const [match, from = '0', whole = '', fraction = ''] = tierText.exec(word) ?? [];
  if (match === undefined) return undefined;
  return {
    fromMinor: BigInt(from) * 10n ** BigInt(currencyExponents[currency]),
    basisPoints: BigInt(whole) * 100n + BigInt(fraction.padEnd(2, '0')),
  };
}
