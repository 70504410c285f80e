import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { auditLog } from '@assay/sandbox';
import { parseArguments } from '../arguments.ts';
import { commands } from '../commands.ts';

let state: string;
let folder: string;
beforeEach(async () => {
  state = await mkdtemp(join(tmpdir(), 'assay-audit-command-'));
  folder = join(state, 'worker', 'box', 'sandbox', 'audit');
  let nowMs = Date.UTC(2026, 10, 21, 12);
  const log = auditLog(folder, { nowMs: () => (nowMs += 60_000) });
  for (const label of ['rep_a', 'rep_b\u001b[2J', 'rep_c']) {
    await log.append({
      kind: 'start',
      label,
      driver: 'wasm',
      runner: 'platform-runner:python-3.14',
      digest: null,
      holds: null,
      entryPoint: 'main.py',
      args: ['7'],
      limits: { wallMs: 1, memoryBytes: 1, scratchBytes: 1, outputFiles: 1, outputBytes: 1, logBytes: 1 },
      network: [],
    });
  }
  await log.close();
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(state, { recursive: true, force: true });
});

async function say(name: string, ...argv: string[]): Promise<{ code: number; text: string }> {
  return sayPlainly(name, ...argv, '--state', state);
}

async function sayPlainly(name: string, ...argv: string[]): Promise<{ code: number; text: string }> {
  const command = await commands.find((row) => row.name === name)!.load();
  const said: string[] = [];
  const spies = (['stdout', 'stderr'] as const).map((stream) =>
    vi.spyOn(process[stream], 'write').mockImplementation((text) => said.push(String(text)) > 0),
  );
  try {
    const code = await command.run(parseArguments(command, argv));
    return { code, text: said.join('') };
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}

test('shows what ran, by name and from an instant on, without what could repaint a terminal', async () => {
  const all = await say('audit show');
  expect(all.text.split('\n')[0]).toMatch(/^2026-11-21T12:0\d:00.000Z +1 {2}start {3}rep_a {2}wasm .* main.py 7$/);
  expect(all.text).not.toContain('\u001b');
  expect((await say('audit show', '--unit', 'rep_c')).text.trim().split('\n')).toHaveLength(1);
  expect((await say('audit show', '--since', '2026-11-22')).text).toBe('');
  expect(JSON.parse((await say('audit show', '--json', '--unit', 'rep_a')).text)).toMatchObject({
    n: 1,
    kind: 'start',
  });
  await expect(say('audit show', '--since', 'yesterday')).rejects.toThrow('--since');
});

test('verifies the chain, against a head that was kept, and fails where a line was changed', async () => {
  const sound = await say('audit verify');
  expect(sound).toMatchObject({ code: 0, text: expect.stringContaining('3 lines, 3 starts') });
  const kept = /\d+:[0-9a-f]{64}/.exec(sound.text)?.[0] ?? '';
  expect(await say('audit verify', '--kept', kept)).toMatchObject({ code: 0 });
  expect(await say('audit verify', '--kept', `2:${'a'.repeat(64)}`)).toMatchObject({ code: 1 });
  const path = join(folder, '2026-11-21.jsonl');
  await writeFile(path, (await readFile(path, 'utf8')).replace('rep_a', 'rep_x'));
  expect(await say('audit verify')).toMatchObject({
    code: 1,
    text: expect.stringContaining('2026-11-21.jsonl:1 was changed'),
  });
});

test('says so where no sandbox has run', async () => {
  await rm(folder, { recursive: true });
  expect(await say('audit verify')).toMatchObject({ code: 0, text: expect.stringContaining('no sandbox has run yet') });
  const verified = await say('audit verify', '--json');
  expect(verified.code).toBe(0);
  expect(JSON.parse(verified.text)).toEqual({ folder: null, lines: 0, starts: 0, open: 0, head: null, problems: [] });
  expect(JSON.parse((await say('audit show', '--json')).text)).toMatchObject({ kind: 'none' });
});

test('a log that is gone does not hold the head that was kept of it', async () => {
  const kept = /\d+:[0-9a-f]{64}/.exec((await say('audit verify')).text)?.[0] ?? '';
  await rm(folder, { recursive: true });
  expect(await say('audit verify', '--kept', kept)).toMatchObject({
    code: 1,
    text: expect.stringContaining('the log of the line 3 that was kept is gone'),
  });
  const { code, text } = await say('audit verify', '--kept', kept, '--json');
  expect(code).toBe(1);
  expect(JSON.parse(text)).toMatchObject({ folder: null, problems: [{ what: expect.stringContaining('gone') }] });
});

test('looks wherever this machine’s workers are when no folder is named', async () => {
  const empty = join(state, 'nothing-here');
  // Without it, root's lie in a folder of the machine that a test must not touch.
  vi.stubEnv('ASSAY_STATE_DIR', empty);
  expect((await sayPlainly('audit show')).text).toBe(`no sandbox has run yet under ${empty}\n`);
  vi.stubEnv('ASSAY_STATE_DIR', state);
  expect((await sayPlainly('audit show', '--unit', 'rep_a')).text).toContain('rep_a');
  expect((await sayPlainly('audit verify')).text).toContain(`${folder}: 3 lines`);
});
