/** Form bodies with brackets, `metadata[key]=value` and `expand[0]=path`, as Stripe's v1 API takes them. */

import { badRequest } from './wire-error.ts';

/** A value of a form: text, or a folder of more. */
type FormValue = string | FormObject;
/** The values of a form by name; a list has the names 0, 1, 2. */
export interface FormObject {
  [name: string]: FormValue;
}

/** Reads a form body or a query; 400 where it is not well-formed. */
export function parseForm(text: string): FormObject {
  const root: FormObject = Object.create(null) as FormObject;
  for (const [name, value] of new URLSearchParams(text)) {
    const [first = '', ...more] = name.split('[');
    const path = [first, ...more.map((part) => part.replace(/\]$/, ''))];
    let at = root;
    for (const [depth, part] of path.entries()) {
      const key = part === '' && depth > 0 ? String(Object.keys(at).length) : part;
      if (depth === path.length - 1) {
        at[key] = value;
        break;
      }
      const next = at[key] ?? (Object.create(null) as FormObject);
      if (typeof next === 'string') throw badRequest('parameter_invalid', `Invalid form: ${name}`);
      at[key] = next;
      at = next;
    }
  }
  return root;
}

/** The names that an endpoint takes: `true` for text, an object for a folder with these, `'any'` for a free one. */
export interface FormShape {
  readonly [name: string]: true | 'any' | FormShape;
}

/** Refuses what the endpoint does not know, as the real one does. */
export function checkShape(form: FormObject, shape: FormShape, prefix = ''): void {
  for (const [name, value] of Object.entries(form)) {
    const known = Object.hasOwn(shape, name) ? shape[name] : undefined;
    const shown = prefix === '' ? name : `${prefix}[${name}]`;
    if (name === 'payment_method_types') {
      throw badRequest('payment_method_types_no_longer_supported', 'payment_method_types is no longer supported.');
    }
    if (known === undefined || (known === true) !== (typeof value === 'string')) {
      throw badRequest('parameter_unknown', `Received unknown parameter: ${shown}`, { param: shown });
    }
    if (typeof known === 'object') checkShape(value as FormObject, known, shown);
  }
}

/** A text that must be there. */
export function textOf(form: FormObject, name: string): string {
  const value = optionalText(form, name);
  if (value === undefined) throw badRequest('parameter_missing', `Missing required param: ${name}.`, { param: name });
  return value;
}

/** A text that may be missing; an empty one is wrong. */
export function optionalText(form: FormObject, name: string): string | undefined {
  const value = form[name];
  if (value === '') throw badRequest('parameter_invalid_empty', `You passed an empty string for '${name}'.`);
  return typeof value === 'string' ? value : undefined;
}

/** A whole number of minor units, one or more. */
export function amountOf(form: FormObject, name: string): bigint {
  const text = textOf(form, name);
  if (!/^-?\d{1,15}$/.test(text)) throw badRequest('parameter_invalid_integer', `Invalid integer: ${text}`);
  const value = BigInt(text);
  if (value < 1n) throw badRequest('parameter_invalid_integer', 'This value must be greater than or equal to 1.');
  return value;
}

/** The strings of a folder, such as metadata or a list. */
export function textsOf(form: FormObject, name: string): Record<string, string> {
  const folder = form[name];
  if (folder === undefined || typeof folder === 'string') return {};
  return Object.fromEntries(
    Object.entries(folder).filter((pair): pair is [string, string] => typeof pair[1] === 'string'),
  );
}
