/** Windows of local time in which a worker works, as its owner writes them: `22:00-06:00`, `sat,sun 00:00-24:00`. */

import type { Report, Shape } from '@assay/core';

/** From Sunday, as `Date.getDay` counts. */
const dayNames = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const;
const minutesADay = 24 * 60;

/** Opens on each of `days` at `from` and lasts until `to`, on the next day where that is not later. */
export interface Window {
  /** 0 is Sunday. */
  readonly days: readonly number[];
  /** Minutes from midnight. */
  readonly from: number;
  readonly to: number;
}

/** The wall clock at the worker's place. */
export interface LocalTime {
  readonly day: number;
  readonly minute: number;
}

const time = '(?:[01][0-9]|2[0-3]):[0-5][0-9]';
const day = `(?:${dayNames.join('|')})`;
const dayRange = `${day}(?:-${day})?`;
const pattern = `^(?:${dayRange}(?:,${dayRange})* )?${time}-(?:${time}|24:00)$`;
const expression = new RegExp(pattern);

/** Reads one window; undefined where the text is none. */
export function parseWindow(text: string): Window | undefined {
  if (!expression.test(text)) return undefined;
  const [days, hours = ''] = text.includes(' ') ? text.split(' ') : [undefined, text];
  const [from = 0, to = 0] = hours.split('-').map((one) => Number(one.slice(0, 2)) * 60 + Number(one.slice(3)));
  // A window from an hour to the same hour could mean all day or never.
  if (from === to) return undefined;
  return { days: days === undefined ? [0, 1, 2, 3, 4, 5, 6] : days.split(',').flatMap(daysOf), from, to };
}

/** `mon-fri`, over the end of the week where the second day comes first. */
function daysOf(range: string): number[] {
  const [first = '', last = first] = range.split('-');
  const from = dayNames.findIndex((name) => name === first);
  const to = dayNames.findIndex((name) => name === last);
  return Array.from({ length: ((to - from + 7) % 7) + 1 }, (_, index) => (from + index) % 7);
}

/** Whether one of the windows is open; none named means always. */
export function isOpen(windows: readonly Window[], now: LocalTime): boolean {
  return windows.length === 0 || windows.some((window) => covers(window, now));
}

function covers({ days, from, to }: Window, { day: today, minute }: LocalTime): boolean {
  if (to > from) return days.includes(today) && minute >= from && minute < to;
  const yesterday = (today + 6) % 7;
  return (days.includes(today) && minute >= from) || (days.includes(yesterday) && minute < to);
}

/** The wall clock at `ms` where this process runs. */
export function localTime(ms: number): LocalTime {
  const date = new Date(ms);
  return { day: date.getDay(), minute: (date.getHours() * 60 + date.getMinutes()) % minutesADay };
}

/** A window in a settings file; kept as its text. */
export const windowShape: Shape<string> = {
  schema: { type: 'string', pattern },
  read(value: unknown, path: string, report: Report) {
    if (typeof value === 'string' && parseWindow(value)) return value;
    report({ path, kind: 'malformed', message: 'must be hours such as 22:00-06:00 or mon-fri 18:00-24:00' });
    return undefined;
  },
};
