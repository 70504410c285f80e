/** Work on several things at once, where one that fails keeps none of the others from being done. */

/** Runs `work` on all `items` at the same time; when all have ended, throws what the first that failed threw. */
export async function eachOf<Item>(items: readonly Item[], work: (item: Item) => Promise<void>): Promise<number> {
  const results = await Promise.allSettled(items.map(work));
  const failed = results.find((result) => result.status === 'rejected');
  if (failed) throw failed.reason;
  return items.length;
}
