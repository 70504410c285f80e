import { describe, expect, it } from 'vitest';
import { claimReasons, leastFreeBytes, mayClaim, type ClaimReason, type MachineState, type Now } from './may-claim.ts';
import { readSettings, type WorkerSettings } from './settings.ts';

const now: Now = { ms: 1_000_000, local: { day: 1, minute: 600 } };
const calm: MachineState = {
  pause: null,
  sandboxFault: null,
  load: 0.1,
  battery: { percent: 80, onMains: false },
  celsius: 50,
  diskUsedBytes: 1024 ** 3,
  diskFreeBytes: 100 * 1024 ** 3,
};
const careful = readSettings({
  hours: ['09:00-17:00'],
  idle_load: 0.2,
  battery_percent: 50,
  max_celsius: 80,
  disk_gb: 8,
});

/** For each reason, what brings it about alone. */
const causes: Record<ClaimReason, Partial<MachineState> & { readonly now?: Now }> = {
  paused: { pause: { untilMs: null } },
  sandbox: { sandboxFault: 'no engine answers' },
  hours: { now: { ...now, local: { day: 1, minute: 1020 } } },
  load: { load: 0.2 },
  battery: { battery: { percent: 50, onMains: false } },
  temperature: { celsius: 80.1 },
  disk: { diskUsedBytes: 8 * 1024 ** 3 + 1 },
};

const answer = (changes: Partial<MachineState>, settings: WorkerSettings = careful, at: Now = now) =>
  mayClaim({ ...calm, ...changes }, settings, at);
const reasonOf = (...args: Parameters<typeof answer>): ClaimReason | undefined => {
  const given = answer(...args);
  return given.may ? undefined : given.reason;
};

describe('mayClaim', () => {
  it('allows work on a calm machine, and on any where the owner sets no limit', () => {
    expect(answer({})).toEqual({ may: true });
    expect(answer({ load: null, battery: null, celsius: null }, readSettings({}))).toEqual({ may: true });
    expect(answer({ load: 5, battery: { percent: 1, onMains: false }, celsius: 120 }, readSettings({}))).toEqual({
      may: true,
    });
  });

  it('gives the first reason for every set of causes', () => {
    for (let set = 0; set < 2 ** claimReasons.length; set += 1) {
      const chosen = claimReasons.filter((_, bit) => (set & (1 << bit)) !== 0);
      const { now: at = now, ...state } = Object.assign(
        {},
        ...chosen.map((reason) => causes[reason]),
      ) as Partial<MachineState> & {
        now?: Now;
      };
      expect(reasonOf(state, careful, at), chosen.join()).toBe(chosen[0]);
    }
  });

  it('says each reason in a sentence with its limit', () => {
    const texts = claimReasons.map((reason) => {
      const { now: at = now, ...state } = causes[reason];
      const given = answer(state, careful, at);
      return given.may ? '' : given.text;
    });
    expect(texts).toEqual([
      'the owner has paused it',
      'its sandbox fails: no engine answers',
      'it works 09:00-17:00 only',
      'other programs keep 20 % of it busy, the limit is 20 %',
      'the battery is at 50 %, the limit is 50 %',
      'it is 80 °C hot, the limit is 80 °C',
      'its folder holds 8.0 GiB, the limit is 8 GiB',
    ]);
  });

  it('pauses until the very instant', () => {
    expect(reasonOf({ pause: { untilMs: now.ms + 1 } })).toBe('paused');
    expect(reasonOf({ pause: { untilMs: now.ms } })).toBeUndefined();
    expect(answer({ pause: { untilMs: 3_600_000 } })).toMatchObject({
      text: 'the owner has paused it until 1970-01-01T01:00Z',
    });
  });

  it('holds every limit at its edge', () => {
    expect(reasonOf({ load: 0.199 })).toBeUndefined();
    expect(reasonOf({ battery: { percent: 51, onMains: false } })).toBeUndefined();
    expect(reasonOf({ battery: { percent: 1, onMains: true } })).toBeUndefined();
    expect(reasonOf({ battery: null })).toBeUndefined();
    expect(reasonOf({ celsius: 80 })).toBeUndefined();
    expect(reasonOf({ diskUsedBytes: 8 * 1024 ** 3 })).toBeUndefined();
    expect(reasonOf({ diskFreeBytes: leastFreeBytes })).toBeUndefined();
    expect(answer({ diskFreeBytes: leastFreeBytes - 1 })).toMatchObject({
      reason: 'disk',
      text: 'only 1.0 GiB are free on the disk',
    });
    expect(reasonOf({ battery: { percent: 100, onMains: false } }, readSettings({ battery_percent: 100 }))).toBe(
      'battery',
    );
  });

  it('takes a limit that the machine cannot show as reached', () => {
    expect(answer({ load: null })).toMatchObject({ reason: 'load', text: 'this machine does not tell how busy it is' });
    expect(answer({ celsius: null })).toMatchObject({
      reason: 'temperature',
      text: 'this machine does not tell its temperature',
    });
  });
});
