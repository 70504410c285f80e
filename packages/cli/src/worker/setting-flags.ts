/**
 * The owner's settings as flags of a command: the same table that reads the settings file. Each has a way back to its
 * default, an empty value or `--no-…`, because `worker join` keeps what was said earlier.
 */

import { cpus } from 'node:os';
import { limits, Refusal } from '@assay/core';
import { optionalSettingFields, readSettings, settingFields, type WorkerSettings } from '@assay/worker';
import { UsageError, type Arguments, type Option } from '../arguments.ts';

const fields = { ...settingFields, ...optionalSettingFields };
type Key = keyof typeof fields;
const keys = Object.keys(fields) as Key[];

const flagOf = (key: string): string => key.replaceAll('_', '-');

/** One for each two cores. */
const usualCapacity: number = Math.min(limits.workerReplicas, Math.max(1, Math.floor(cpus().length / 2)));

/** How a list is written in one argument: windows of hours hold commas. */
const separators: Readonly<Record<string, string>> = { hours: ';', runners: ',' };

function optionsOf(key: Key): [string, Option][] {
  const [flag, option] = optionOf(key);
  if (option.kind !== 'flag') return [[flag, option]];
  return [
    [flag, option],
    [`no-${flag}`, { kind: 'flag', doc: `takes --${flag} back` }],
  ];
}

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
export const settingOptions: Readonly<Record<string, Option>> = Object.fromEntries(keys.flatMap(optionsOf));

/** `base` with what the flags say otherwise. A flag out of its bounds is wrong usage. */
export function settingsWith(args: Arguments, base: Partial<WorkerSettings>): WorkerSettings {
  const said = Object.fromEntries(keys.flatMap((key) => valueOf(args, key)));
  const reset = new Set<string>(keys.filter((key) => isReset(args, key)));
  const kept = Object.fromEntries(Object.entries(base).filter(([key]) => !reset.has(key)));
  try {
    return readSettings({ capacity: usualCapacity, ...kept, ...said });
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const faults = error.details['faults'] as readonly { readonly path: string; readonly message: string }[];
    const mine = faults.find(({ path }) => (path.split('[')[0] ?? '') in said);
    if (mine === undefined) throw error;
    throw new UsageError(`--${flagOf(mine.path.split('[')[0] ?? '')} ${mine.message}`);
  }
}

/** Whether the flags ask for the default instead of what was said earlier. */
function isReset(args: Arguments, key: Key): boolean {
  const flag = flagOf(key);
  if (settingOptions[flag]?.kind !== 'flag') return args.text(flag)?.trim() === '';
  if (args.flag(flag) && args.flag(`no-${flag}`)) throw new UsageError(`--${flag} and --no-${flag} exclude each other`);
  return args.flag(`no-${flag}`);
}

function valueOf(args: Arguments, key: Key): [string, unknown][] {
  const flag = flagOf(key);
  const option = settingOptions[flag];
  if (isReset(args, key)) return [];
  if (option?.kind === 'flag') return args.flag(flag) ? [[key, true]] : [];
  const value = option?.kind === 'number' ? args.number(flag) : args.text(flag);
  if (value === undefined) return [];
  const separator = separators[key];
  if (separator === undefined) return [[key, value]];
  const parts = String(value).split(separator);
  return [[key, parts.map((one) => one.trim())]];
}
