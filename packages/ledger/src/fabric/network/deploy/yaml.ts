/** Plain data as YAML that people read: block style, quotes where a reader would otherwise take a word for something else. */

export type Yaml = string | number | boolean | null | readonly Yaml[] | { readonly [key: string]: Yaml | undefined };

/** A document; entries that are undefined are left out. */
export function yamlOf(value: Yaml): string {
  return `${block(value, 0).replace(/^\n/, '')}\n`;
}

function block(value: Yaml, depth: number): string {
  if (Array.isArray(value)) return value.length === 0 ? ' []' : listed(value, depth);
  if (value !== null && typeof value === 'object') {
    const entries = Object.entries(value).filter((entry): entry is [string, Yaml] => entry[1] !== undefined);
    if (entries.length === 0) return ' {}';
    return entries.map(([key, inner]) => `\n${indent(depth)}${scalar(key)}:${block(inner, depth + 1)}`).join('');
  }
  return ` ${scalar(value)}`;
}

/** The first line of an item stands behind its dash. */
function listed(items: readonly Yaml[], depth: number): string {
  return items
    .map((item) => {
      const text = block(item, depth + 1);
      return `\n${indent(depth)}-${text.startsWith('\n') ? ` ${text.trimStart()}` : text}`;
    })
    .join('');
}

function indent(depth: number): string {
  return '  '.repeat(depth);
}

const plainText = /^[A-Za-z/.][A-Za-z0-9_./@+-]*$/;
const otherMeanings = /^(?:true|false|yes|no|on|off|null|y|n|~|\.|\.inf|\.nan)$/i;

function scalar(value: string | number | boolean | null): string {
  if (typeof value !== 'string') return String(value);
  if (plainText.test(value) && !otherMeanings.test(value)) return value;
  // Single quotes keep everything but themselves and what cannot be printed.
  return /^[ -&(-~]*$/.test(value) ? `'${value}'` : JSON.stringify(value);
}
