/** Pages of lists: one row more than asked for is read to know whether there is a next page. */

import { limits } from '@assay/core';

/** How many items a page has. */
export function limitOf(query: { readonly limit?: number }, usual = 50): number {
  return Math.min(query.limit ?? usual, limits.pageItems);
}

/** The page of `rows`, of which there may be one more than `limit`. */
export function pageOf<Row>(
  rows: readonly Row[],
  limit: number,
  cursor: (row: Row) => string,
): { readonly items: Row[]; readonly next: string | null } {
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  return { items, next: rows.length > limit && last !== undefined ? cursor(last) : null };
}
