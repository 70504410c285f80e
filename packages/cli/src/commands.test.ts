import { expect, test } from 'vitest';
import { commands } from './commands.ts';
import { settingOptions } from './worker/setting-flags.ts';

test.each(commands.map((row) => [row.name, row] as const))(
  'the usage of %s names the command and every option of it, and no other',
  async (name, row) => {
    const { usage, options } = await row.load();
    expect(usage === name || usage.startsWith(`${name} `)).toBe(true);
    const settings = usage.includes('[SETTING…]') ? Object.keys(settingOptions) : [];
    const named = [...usage.matchAll(/--([a-z][a-z-]*)/g)].map((match) => match[1] ?? '');
    expect(new Set([...named, ...settings])).toEqual(new Set(Object.keys(options)));
  },
);
