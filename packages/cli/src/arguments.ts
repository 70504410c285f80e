/** Strict parsing of a command's arguments: an unknown option, a missing value or one argument too many is refused. */

import { parseArgs } from 'node:util';

export type Option =
  | { readonly kind: 'flag'; readonly doc: string }
  | { readonly kind: 'text' | 'number'; readonly doc: string; readonly default?: string };

export interface Grammar {
  readonly options: Readonly<Record<string, Option>>;
  /** Names of the positional arguments; those that end in `?` may be left out, and a last `NAME…?` takes any number. */
  readonly positionals: readonly string[];
  /** Whether words after `--` are taken. */
  readonly rest?: boolean;
}

export interface Arguments {
  flag(name: string): boolean;
  text(name: string): string | undefined;
  number(name: string): number | undefined;
  positional(index: number): string | undefined;
  readonly positionals: readonly string[];
  readonly rest: readonly string[];
}

/** The caller wrote something that the command does not understand. */
export class UsageError extends Error {}

export function parseArguments(grammar: Grammar, argv: readonly string[]): Arguments {
  const cut = argv.indexOf('--');
  const own = cut < 0 ? argv : argv.slice(0, cut);
  const rest = cut < 0 ? [] : argv.slice(cut + 1);
  if (rest.length > 0 && grammar.rest !== true) throw new UsageError('nothing can follow "--" here');
  const { values, positionals } = parse(grammar, own);
  const needed = grammar.positionals.filter((name) => !name.endsWith('?'));
  if (positionals.length < needed.length) throw new UsageError(`missing ${needed[positionals.length] ?? 'argument'}`);
  const many = grammar.positionals.at(-1)?.endsWith('…?') ?? false;
  if (positionals.length > grammar.positionals.length && !many) {
    throw new UsageError(`unexpected "${positionals[grammar.positionals.length] ?? ''}"`);
  }
  const text = (name: string): string | undefined => {
    const option = grammar.options[name];
    const value = values[name];
    if (typeof value === 'string') return value;
    return option && option.kind !== 'flag' ? option.default : undefined;
  };
  return {
    rest,
    flag: (name) => values[name] === true,
    text,
    number(name) {
      const value = text(name);
      if (value === undefined) return undefined;
      if (!/^\d{1,12}(?:\.\d{1,6})?$/.test(value)) throw new UsageError(`--${name} takes a number, not "${value}"`);
      return Number(value);
    },
    positional: (index) => positionals[index],
    positionals,
  };
}

function parse(
  grammar: Grammar,
  argv: readonly string[],
): { values: Record<string, string | boolean | undefined>; positionals: string[] } {
  const options: Record<string, { type: 'boolean' | 'string' }> = {};
  for (const [name, option] of Object.entries(grammar.options)) {
    options[name] = { type: option.kind === 'flag' ? 'boolean' : 'string' };
  }
  try {
    const { values, positionals } = parseArgs({ args: [...argv], options, allowPositionals: true, strict: true });
    return { values: { ...values }, positionals };
  } catch (error) {
    const message = error instanceof Error ? (error.message.split('. ')[0] ?? '') : String(error);
    throw new UsageError(message);
  }
}
