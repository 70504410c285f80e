/** Places for uploads on their way: slow ones of a few accounts must not keep everybody else out. */

import { limits, refuse } from '@assay/core';

/** Runs `work` in a place of `account`; refuses `request.rate_limited` where the account, or the server, has none left. */
export type UploadPlaces = <T>(account: string, work: () => Promise<T>) => Promise<T>;

/** Places of which each account has few and the server has a bounded number. */
export function uploadPlaces(
  perAccount: number = limits.bundleSpoolsPerAccount,
  inAll: number = limits.bundleSpools,
): UploadPlaces {
  const taken = new Map<string, number>();
  let sum = 0;
  return async (account, work) => {
    const own = taken.get(account) ?? 0;
    if (own >= perAccount) {
      throw refuse('request.rate_limited', 'this account is uploading already; wait for it to end', { waitMs: 5000 });
    }
    if (sum >= inAll) throw refuse('request.rate_limited', 'too many uploads; try again', { waitMs: 1000 });
    taken.set(account, own + 1);
    sum += 1;
    try {
      return await work();
    } finally {
      sum -= 1;
      const left = (taken.get(account) ?? 1) - 1;
      if (left === 0) taken.delete(account);
      else taken.set(account, left);
    }
  };
}
