import { describe, expect, it } from 'vitest';
import { isOpen, localTime, parseWindow, type LocalTime } from './hours.ts';

const at = (day: number, time: string): LocalTime => ({
  day,
  minute: Number(time.slice(0, 2)) * 60 + Number(time.slice(3)),
});
const hour = (of: number) => `${String(of).padStart(2, '0')}:00`;
const [sunday, monday, friday, saturday] = [0, 1, 5, 6];

function openAt(text: string, now: LocalTime): boolean {
  const window = parseWindow(text);
  if (!window) throw new Error(`${text} is no window`);
  return isOpen([window], now);
}

describe('parseWindow', () => {
  it.each([
    ['22:00-06:00', [0, 1, 2, 3, 4, 5, 6], 1320, 360],
    ['00:00-24:00', [0, 1, 2, 3, 4, 5, 6], 0, 1440],
    ['sat,sun 00:00-24:00', [6, 0], 0, 1440],
    ['mon-fri 18:30-23:59', [1, 2, 3, 4, 5], 1110, 1439],
    ['fri-mon 09:00-17:00', [5, 6, 0, 1], 540, 1020],
    ['mon,wed-thu 09:00-17:00', [1, 3, 4], 540, 1020],
  ])('reads %s', (text, days, from, to) => {
    expect(parseWindow(text)).toEqual({ days, from, to });
  });

  it.each(['', '22-06', '22:00', '24:00-06:00', '22:00-25:00', '22:60-23:00', '09:00-09:00', 'Mon 09:00-10:00'])(
    'refuses %j',
    (text) => expect(parseWindow(text)).toBeUndefined(),
  );
  it.each([
    'monday 09:00-10:00',
    'mon, tue 09:00-10:00',
    ' 09:00-10:00',
    '9:00-10:00',
    'mon- 09:00-10:00',
    '09:00-10:00\n',
  ])('refuses %j, too', (text) => expect(parseWindow(text)).toBeUndefined());
});

describe('isOpen', () => {
  it('is always where no window is named', () => {
    expect(isOpen([], at(monday, '03:00'))).toBe(true);
  });

  it('opens at its first minute and closes at its last', () => {
    expect(openAt('09:00-17:00', at(monday, '08:59'))).toBe(false);
    expect(openAt('09:00-17:00', at(monday, '09:00'))).toBe(true);
    expect(openAt('09:00-17:00', at(monday, '16:59'))).toBe(true);
    expect(openAt('09:00-17:00', at(monday, '17:00'))).toBe(false);
  });

  it('lasts over midnight into the day after the named one, and over the end of the week', () => {
    expect(openAt('fri 22:00-06:00', at(friday, '21:59'))).toBe(false);
    expect(openAt('fri 22:00-06:00', at(friday, '22:00'))).toBe(true);
    expect(openAt('fri 22:00-06:00', at(friday, '05:00'))).toBe(false);
    expect(openAt('fri 22:00-06:00', at(saturday, '05:59'))).toBe(true);
    expect(openAt('fri 22:00-06:00', at(saturday, '06:00'))).toBe(false);
    expect(openAt('sat 22:00-06:00', at(sunday, '05:59'))).toBe(true);
  });

  it('agrees, for every window of whole hours and every hour of the week, with a walk from hour to hour', () => {
    for (let from = 0; from < 24; from += 1) {
      for (let to = 0; to <= 24; to += 1) {
        if (from === to) continue;
        const open = new Set<number>();
        // Wednesday's window, walked.
        for (let one = 3 * 24 + from; ; one += 1) {
          if (one > 3 * 24 + from && one % 24 === to % 24) break;
          open.add(one);
        }
        for (let one = 0; one < 7 * 24; one += 1) {
          const now = { day: Math.floor(one / 24), minute: (one % 24) * 60 };
          expect(openAt(`wed ${hour(from)}-${hour(to)}`, now), `${from}-${to} at ${one}`).toBe(open.has(one));
        }
      }
    }
  });
});

describe('localTime', () => {
  it('reads the wall clock of this place', () => {
    const date = new Date(2026, 10, 21, 13, 35);
    expect(localTime(date.getTime())).toEqual({ day: date.getDay(), minute: 13 * 60 + 35 });
  });
});
