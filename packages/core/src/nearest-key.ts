/** Guesses which known key was meant by an unknown one. */

/** The known key within a third of the letters (at least 1, at most 3 edits), or undefined; the first one on a tie. */
export function nearestKey(unknown: string, known: readonly string[]): string | undefined {
  const reach = Math.min(3, Math.max(1, Math.floor(unknown.length / 3)));
  let best: { key: string; distance: number } | undefined;
  for (const key of known) {
    if (Math.abs(key.length - unknown.length) > reach) continue;
    const distance = editDistance(unknown.toLowerCase(), key.toLowerCase());
    if (distance <= reach && (!best || distance < best.distance)) best = { key, distance };
  }
  return best?.key;
}

/** Levenshtein's distance: insertions, deletions and replacements of one letter. */
export function editDistance(a: string, b: string): number {
  let above = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const replaced = (above[column - 1] ?? 0) + (a[row - 1] === b[column - 1] ? 0 : 1);
      current.push(Math.min(replaced, (above[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1));
    }
    above = current;
  }
  return above[b.length] ?? 0;
}
