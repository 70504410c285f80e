/** Times on the command line. */

import { UsageError } from './arguments.ts';

const units = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** Milliseconds of a time such as `30m`; `option` names what it was given for. */
export function durationMs(option: string, text: string): number {
  const [, count = '', unit = ''] = /^(0|[1-9][0-9]{0,3})([smhd])$/.exec(text) ?? [];
  if (!(unit in units)) throw new UsageError(`--${option} takes a time such as 30m, 2h or 1d, not "${text}"`);
  return Number(count) * units[unit as keyof typeof units];
}
