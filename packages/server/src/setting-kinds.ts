/** How settings are read from text: each kind gives a value or says what it expects. */

/** A kind of setting. */
export interface Kind<T> {
  /** For the reference page. */
  readonly name: string;
  /** The value, or undefined where the text is not one. */
  read(text: string): T | undefined;
  /** What a right value looks like. */
  readonly expects: string;
}

export const text: Kind<string> = { name: 'text', expects: 'some text', read: (given) => given || undefined };

/** A secret: like text, but never shown. */
export const secret: Kind<string> = { ...text, name: 'secret' };

export const flag: Kind<boolean> = {
  name: 'flag',
  expects: 'true or false',
  read: (given) => ({ true: true, false: false, '1': true, '0': false })[given.toLowerCase()],
};

/** A whole number within bounds. */
export function whole(min: number, max: number): Kind<number> {
  return {
    name: 'number',
    expects: `a whole number from ${min} to ${max}`,
    read(given) {
      const value = /^\d{1,15}$/.test(given) ? Number(given) : undefined;
      return value !== undefined && value >= min && value <= max ? value : undefined;
    },
  };
}

const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** A time such as `24h`, `90s` or `500ms`, in milliseconds. */
export const duration: Kind<number> = {
  name: 'duration',
  expects: 'a time such as 24h, 30m, 90s or 500ms',
  read(given) {
    const [, count, unit] = /^(\d{1,9})(ms|s|m|h|d)$/.exec(given) ?? [];
    return count === undefined || unit === undefined ? undefined : Number(count) * (unitMs[unit] ?? 0);
  },
};

/** An http or https URL without a path, such as `https://market.example`. */
export const origin: Kind<string> = {
  name: 'origin',
  expects: 'an http or https address without a path',
  read(given) {
    if (!URL.canParse(given)) return undefined;
    const url = new URL(given);
    return /^https?:$/.test(url.protocol) && url.pathname === '/' && url.search === '' ? url.origin : undefined;
  },
};

/** One of some words. */
export function choice<const T extends readonly string[]>(words: T): Kind<T[number]> {
  return {
    name: 'choice',
    expects: `one of ${words.join(', ')}`,
    read: (given) => words.find((word) => word === given),
  };
}

/** Words separated by commas. */
export const list: Kind<readonly string[]> = {
  name: 'list',
  expects: 'words separated by commas',
  read: (given) => given.split(',').flatMap((word) => word.trim() || []),
};
