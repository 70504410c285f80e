import { readSettings, usualSettings } from '@assay/worker';
import { expect, test } from 'vitest';
import { parseArguments, UsageError } from '../arguments.ts';
import { settingOptions, settingsWith } from './setting-flags.ts';

const say = (...argv: string[]) => parseArguments({ options: settingOptions, positionals: [] }, argv);

const limited = readSettings({
  capacity: 3,
  egress: true,
  hours: ['22:00-06:00'],
  idle_load: 0.2,
  battery_percent: 80,
  disk_gb: 20,
  policy: 'trusted',
  runners: ['platform-runner:r'],
});

test('what a flag says is taken, and what none says stays', () => {
  expect(settingsWith(say('--hours', '08:00-09:00; sat 10:00-11:00', '--disk-gb', '5'), limited)).toEqual({
    ...limited,
    hours: ['08:00-09:00', 'sat 10:00-11:00'],
    disk_gb: 5,
  });
  expect(settingsWith(say('--egress', '--runners', 'a,b'), {})).toMatchObject({ egress: true, runners: ['a', 'b'] });
});

test('an empty value, and --no- before a switch, bring each setting back to its default', () => {
  const names = ['hours', 'idle-load', 'battery-percent', 'disk-gb', 'policy', 'runners', 'capacity'];
  const argv = names.flatMap((name) => [`--${name}`, '']);
  const { capacity } = settingsWith(say(), {});
  expect(settingsWith(say(...argv, '--no-egress'), limited)).toEqual({ ...usualSettings, capacity });
  expect(settingsWith(say('--no-egress'), limited)).toEqual({ ...limited, egress: false });
  expect(settingsWith(say('--runners='), limited).runners).toBeUndefined();
});

test('what contradicts itself or is out of its bounds is wrong usage', () => {
  expect(() => settingsWith(say('--egress', '--no-egress'), {})).toThrow(UsageError);
  expect(() => settingsWith(say('--hours', 'never'), {})).toThrow('--hours must be hours such as');
  expect(() => settingsWith(say('--idle-load', 'x'), {})).toThrow('--idle-load takes a number');
});
