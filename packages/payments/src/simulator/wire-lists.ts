/** Lists, search and expansion, as every collection of Stripe's API has them. */

import type { BankState } from './bank-books.ts';
import { badRequest } from './wire-error.ts';
import { optionalText, textOf, textsOf, type FormObject } from './wire-form.ts';

interface Item {
  readonly id: string;
  readonly created: number;
}

/** A page of `items`, newest first, under `limit`, `starting_after`, `created[gte]` and the named filters. */
export function listPage(
  url: string,
  items: Readonly<Record<string, Item>>,
  form: FormObject,
  filters: readonly string[] = [],
): object {
  const limit = Number(optionalText(form, 'limit') ?? '10');
  if (!Number.isInteger(limit) || limit < 1 || limit > 100) {
    throw badRequest('parameter_invalid_integer', 'Invalid limit: must be between 1 and 100');
  }
  const since = Number(textsOf(form, 'created')['gte'] ?? '0');
  const wanted = filters
    .map((name) => [name, optionalText(form, name)] as const)
    .filter(([, text]) => text !== undefined);
  // Objects keep the order in which they were made, which breaks ties within a second.
  const all = Object.values(items)
    .toReversed()
    .toSorted((a, b) => b.created - a.created);
  const found = all.filter(
    (item) => item.created >= since && wanted.every(([name, text]) => (item as unknown as FormObject)[name] === text),
  );
  const after = optionalText(form, 'starting_after');
  const start = after === undefined ? 0 : found.findIndex((item) => item.id === after) + 1;
  if (after !== undefined && start === 0) throw badRequest('resource_missing', `No such object: '${after}'`);
  const data = found.slice(start, start + limit);
  return { object: 'list', url, data, has_more: start + limit < found.length };
}

/** The parameters that each list takes besides its filters. */
export const listShape = { limit: true, starting_after: true, created: { gte: true }, expand: 'any' } as const;

/** The objects made up to `until` whose metadata has one value: the only query that this bank understands. */
export function searchPage(
  url: string,
  items: Readonly<Record<string, Item & { readonly metadata: Readonly<Record<string, string>> }>>,
  form: FormObject,
  until: number,
): object {
  const match = /^metadata\['([\w-]+)'\]:'([\w-]+)'$/.exec(textOf(form, 'query'));
  if (!match) throw badRequest(undefined, 'This query is not understood here.');
  const [, key = '', value = ''] = match;
  const data = Object.values(items).filter((item) => item.metadata[key] === value && item.created <= until);
  return { object: 'search_result', url, data, has_more: false, next_page: null };
}

/** A copy of `object` in which the ids along each path of `expand` are replaced by what they name. */
export function expanded(bank: BankState, object: object, form: FormObject): object {
  const copy = structuredClone(object) as Record<string, unknown>;
  for (const path of Object.values(textsOf(form, 'expand'))) {
    const parts = path.split('.');
    const isList = copy['object'] === 'list' && parts[0] === 'data';
    const roots = isList ? (copy['data'] as Record<string, unknown>[]) : [copy];
    for (const root of roots) expandPath(bank, root, isList ? parts.slice(1) : parts);
  }
  return copy;
}

function expandPath(bank: BankState, root: Record<string, unknown>, parts: readonly string[]): void {
  const [part, ...rest] = parts;
  if (part === undefined) return;
  if (!Object.hasOwn(root, part)) throw badRequest(undefined, `This property cannot be expanded (${part}).`);
  const value = root[part];
  if (typeof value === 'string') root[part] = structuredClone(byId(bank, value) ?? value);
  const next = root[part];
  if (typeof next === 'object' && next !== null) expandPath(bank, next as Record<string, unknown>, rest);
}

function byId(bank: BankState, id: string): object | undefined {
  const { intents, charges, refunds, transfers, reversals, payouts, disputes, movements } = bank;
  for (const kind of [intents, charges, refunds, transfers, reversals, payouts, disputes, movements]) {
    const found = kind[id];
    if (found) return found;
  }
  return undefined;
}
