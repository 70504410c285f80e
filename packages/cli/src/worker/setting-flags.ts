/** The owner's settings as flags of a command: the same table that reads the settings file. */

import { Refusal } from '@assay/core';
import { optionalSettingFields, readSettings, settingFields, type WorkerSettings } from '@assay/worker';
import { UsageError, type Arguments, type Option } from '../arguments.ts';

const fields = { ...settingFields, ...optionalSettingFields };
type Key = keyof typeof fields;
const keys = Object.keys(fields) as Key[];

const flagOf = (key: string): string => key.replaceAll('_', '-');

/** How a list is written in one argument: windows of hours hold commas. */
const separators: Readonly<Record<string, string>> = { hours: ';', runners: ',' };

function optionOf(key: Key): [string, Option] {
  const { schema } = fields[key];
  const doc = String(schema['description']);
  const separator = separators[key];
  if (separator !== undefined)
    return [flagOf(key), { kind: 'text', doc: `${doc} Several are separated by ${separator}` }];
  if (schema['type'] === 'boolean') return [flagOf(key), { kind: 'flag', doc }];
  if (schema['type'] === 'integer' || schema['type'] === 'number') return [flagOf(key), { kind: 'number', doc }];
  return [flagOf(key), { kind: 'text', doc: `${doc}${choicesOf(schema)}` }];
}

function choicesOf(schema: { readonly [key: string]: unknown }): string {
  return Array.isArray(schema['enum']) ? ` One of ${schema['enum'].join(', ')}.` : '';
}

/** The options of a command that takes settings. */
export const settingOptions: Readonly<Record<string, Option>> = Object.fromEntries(keys.map(optionOf));

/** `base` with what the flags say otherwise. A flag out of its bounds is wrong usage. */
export function settingsWith(args: Arguments, base: Partial<WorkerSettings>): WorkerSettings {
  const said = Object.fromEntries(keys.flatMap((key) => valueOf(args, key)));
  try {
    return readSettings({ ...base, ...said });
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const faults = error.details['faults'] as readonly { readonly path: string; readonly message: string }[];
    const mine = faults.find(({ path }) => (path.split('[')[0] ?? '') in said);
    if (mine === undefined) throw error;
    throw new UsageError(`--${flagOf(mine.path.split('[')[0] ?? '')} ${mine.message}`);
  }
}

function valueOf(args: Arguments, key: Key): [string, unknown][] {
  const flag = flagOf(key);
  const option = settingOptions[flag];
  if (option?.kind === 'flag') return args.flag(flag) ? [[key, true]] : [];
  const value = option?.kind === 'number' ? args.number(flag) : args.text(flag);
  if (value === undefined) return [];
  const separator = separators[key];
  return [
    [
      key,
      separator === undefined
        ? value
        : String(value)
            .split(separator)
            .map((one) => one.trim()),
    ],
  ];
}
