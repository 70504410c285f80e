import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { runCommand } from './run-command.ts';

// Without a place for compiled code: this process is the test's, not a command's.
beforeEach(() => vi.stubEnv('XDG_CACHE_HOME', ''));
afterEach(() => vi.unstubAllEnvs());

async function say(...argv: string[]): Promise<{ code: number; text: string }> {
  const said: string[] = [];
  const spies = (['stdout', 'stderr'] as const).map((stream) =>
    vi.spyOn(process[stream], 'write').mockImplementation((text) => said.push(String(text)) > 0),
  );
  try {
    return { code: await runCommand(argv), text: said.join('') };
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}

test('help of one word tells of its whole family, and --help after two words of that command', async () => {
  const family = await say('help', 'bans');
  expect(family.code).toBe(0);
  expect(family.text).toMatch(/^assay bans list .*^assay bans add .*^assay bans lift /ms);
  const one = await say('bans', 'add', '--help');
  expect(one.code).toBe(0);
  expect(one.text).toMatch(/^assay bans add ACCOUNT/);
  expect(one.text).not.toContain('assay bans list');
  expect(await say('help', 'bans', 'add')).toEqual(one);
  expect(await say('help', 'bans', 'nothing')).toMatchObject({ code: 2 });
});

test('what is no command, is half of one or is used wrongly ends with 2 and a sentence', async () => {
  expect(await say('nothing')).toEqual({ code: 2, text: 'assay: there is no command "nothing". Try: assay help\n' });
  expect(await say('bans')).toEqual({
    code: 2,
    text: 'assay: "bans" needs a second word: bans list, bans add, bans lift\n',
  });
  const wrong = await say('bans', 'list', '--bogus');
  expect(wrong).toEqual({
    code: 2,
    text: "assay bans list: Unknown option '--bogus'\nusage: assay bans list [--json]\n",
  });
});

test('a refusal ends with 1, its sentence and its code, or with JSON where that was asked for', async () => {
  const refused = await say('bans', 'add', 'someone');
  expect(refused).toEqual({ code: 1, text: 'assay: say why with --reason "…" [request.malformed]\n' });
  const { code, text } = await say('run', 'no/such/folder', '--json');
  expect(code).toBe(1);
  expect(JSON.parse(text)).toMatchObject({ error: { code: 'bundle.malformed' } });
});
