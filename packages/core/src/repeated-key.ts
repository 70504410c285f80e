/** Finds what JSON.parse hides: a key that stands twice in one object, of which readers keep the first or the last. */

const tokens = /"(?:[^"\\]|\\.)*"|[{}[\]]/g;
const colon = /\s*:/y;

/** The first key that an object of `text`, which is valid JSON, has twice. */
export function repeatedKey(text: string): string | undefined {
  const open: (Set<string> | undefined)[] = [];
  for (const { 0: token, index } of text.matchAll(tokens)) {
    if (token === '{') open.push(new Set());
    else if (token === '[') open.push(undefined);
    else if (token === '}' || token === ']') open.pop();
    else {
      const keys = open.at(-1);
      colon.lastIndex = index + token.length;
      if (keys === undefined || !colon.test(text)) continue;
      const key = JSON.parse(token) as string;
      if (keys.has(key)) return key;
      keys.add(key);
    }
  }
  return undefined;
}
