import { spawn } from 'node:child_process';
import { appendFile, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseSha256, refuse, type SandboxDriver, type SandboxOutcome, type SandboxUnit } from '@assay/core';
import { conformanceLimits } from '@assay/core/conformance';
import { auditLog } from './audit-log.ts';
import { audited } from './audited.ts';
import { readAudit, verifyAudit } from './verify-audit.ts';
import type { AuditEntry } from './audit-line.ts';

const dayMs = 86_400_000;
let folder: string;
let nowMs: number;
const clock = { nowMs: () => nowMs };

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'assay-audit-'));
  nowMs = Date.UTC(2026, 10, 21, 12);
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const start = (label: string): AuditEntry => ({
  kind: 'start',
  label,
  driver: 'wasm',
  runner: 'platform-runner:python-3.14',
  digest: 'd',
  holds: null,
  entryPoint: 'main.py',
  args: [],
  limits: conformanceLimits,
  network: [],
});
const end = (n: number, label: string): AuditEntry => ({
  kind: 'end',
  start: n,
  label,
  ending: { kind: 'exit', code: 0 },
  usage: null,
  signal: null,
  outOfMemory: false,
  breach: null,
  connections: [],
  connectionCount: 0,
  outputs: 0,
  outputBytes: 0,
});

async function filled(units: number, days = 1): Promise<void> {
  const log = auditLog(folder, clock);
  for (let day = 0; day < days; day += 1) {
    for (let unit = 0; unit < units; unit += 1) {
      const label = `rep_${day}_${unit}`;
      await log.append(end(await log.append(start(label)), label));
    }
    if (day < days - 1) nowMs += dayMs;
  }
  await log.close();
}

const file = () => join(folder, '2026-11-21.jsonl');
const lines = async () => (await readFile(file(), 'utf8')).trimEnd().split('\n');
const kinds = async () => {
  const all: string[] = [];
  for await (const { line } of readAudit(folder)) all.push(line.kind);
  return all;
};

describe('the audit log', () => {
  it('numbers and chains its lines over days', async () => {
    await filled(3, 3);
    const report = await verifyAudit(folder);
    expect(report).toMatchObject({ lines: 18, starts: 9, open: 0, problems: [] });
    expect(await verifyAudit(folder, report.head)).toMatchObject({ problems: [] });
    expect((await readdir(folder)).toSorted()).toEqual([
      '2026-11-21.jsonl',
      '2026-11-22.jsonl',
      '2026-11-23.jsonl',
      'head.json',
    ]);
  });

  it('gives lines that are written at once numbers of their own', async () => {
    const log = auditLog(folder, clock);
    const numbers = await Promise.all(Array.from({ length: 600 }, (_, index) => log.append(start(`rep_${index}`))));
    await log.close();
    expect(numbers).toEqual(Array.from({ length: 600 }, (_, index) => index + 1));
    expect(await verifyAudit(folder)).toMatchObject({ lines: 600, open: 600, problems: [] });
  });

  it.each<[string, (all: string[]) => string[], string, RegExp]>([
    ['changed', (all) => all.with(4, all[4]!.replace('rep_0_2', 'rep_9_9')), '2026-11-21.jsonl:5', /changed/],
    ['deleted', (all) => all.toSpliced(4, 1), '2026-11-21.jsonl:5', /lines 5 to 5 .*missing/],
    ['deleted in numbers', (all) => all.toSpliced(2, 3), '2026-11-21.jsonl:3', /lines 3 to 5 .*missing/],
    ['put in', (all) => all.toSpliced(4, 0, all[3]!), '2026-11-21.jsonl:5', /put in or moved/],
    [
      'moved',
      (all) => [...all.slice(0, 4), all[5]!, all[4]!, ...all.slice(6)],
      '2026-11-21.jsonl:6',
      /put in or moved/,
    ],
    ['overwritten', (all) => all.with(3, 'x'), '2026-11-21.jsonl:4', /not a line/],
    ['cut off', (all) => all.slice(0, -2), 'head.json', /cut off/],
    ['removed from the front', (all) => all.slice(2), '2026-11-21.jsonl:1', /missing/],
    [
      'changed at the very end',
      (all) => [...all.slice(0, -1), all.at(-1)!.replace('rep', 'rap')],
      'head.json',
      /written anew/,
    ],
  ])('shows a line that was %s', async (_what, forge, where, what) => {
    await filled(5);
    await writeFile(file(), `${forge(await lines()).join('\n')}\n`);
    const { problems } = await verifyAudit(folder);
    expect(problems).toContainEqual({ where, what: expect.stringMatching(what) });
  });

  it('shows any byte that was changed in any line', async () => {
    await filled(4);
    const bytes = await readFile(file());
    await fc.assert(
      fc.asyncProperty(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), async (at, by) => {
        const forged = Buffer.from(bytes);
        forged[at] = (forged[at]! + by) % 256;
        await writeFile(file(), forged);
        expect((await verifyAudit(folder)).problems).not.toEqual([]);
      }),
    );
  });

  it('shows a missing day and a head that was kept elsewhere', async () => {
    await filled(2, 3);
    const { head } = await verifyAudit(folder);
    await rm(join(folder, '2026-11-22.jsonl'));
    expect((await verifyAudit(folder)).problems).toEqual([
      { where: '2026-11-23.jsonl:1', what: 'lines 5 to 8 before it are missing' },
    ]);
    await rm(folder, { recursive: true });
    nowMs = Date.UTC(2026, 10, 21, 12);
    await filled(2, 3);
    expect(await verifyAudit(folder)).toMatchObject({ problems: [] });
    nowMs += 1;
    await rm(folder, { recursive: true });
    await filled(7);
    expect((await verifyAudit(folder, head)).problems).toHaveLength(1);
  });

  it('goes on behind a tail that was cut off, so that the gap stays', async () => {
    await filled(3);
    await writeFile(file(), `${(await lines()).slice(0, 4).join('\n')}\n`);
    await filled(1);
    const { problems } = await verifyAudit(folder);
    expect(problems).toEqual([{ where: '2026-11-21.jsonl:5', what: 'lines 5 to 6 before it are missing' }]);
  });

  it('closes what a dead process left: a torn line and starts without an end', async () => {
    await filled(1);
    const log = auditLog(folder, clock);
    await log.append(start('rep_dies'));
    await log.close();
    await appendFile(file(), '{"n":4,"prev":"ab');
    expect(await verifyAudit(folder)).toMatchObject({ open: 1, problems: [] });
    await filled(1);
    expect(await kinds()).toEqual(['start', 'end', 'start', 'torn', 'lost', 'start', 'end']);
    expect(await verifyAudit(folder)).toMatchObject({ open: 0, problems: [] });
  });

  it('finds lines that its head does not count yet', async () => {
    await filled(2);
    const early = await readFile(join(folder, 'head.json'));
    await filled(2);
    await writeFile(join(folder, 'head.json'), early);
    await filled(1);
    expect(await verifyAudit(folder)).toMatchObject({ lines: 10, open: 0, problems: [] });
    await rm(join(folder, 'head.json'));
    expect((await verifyAudit(folder)).problems).toMatchObject([{ where: 'head.json' }]);
    await filled(1);
    expect(await verifyAudit(folder)).toMatchObject({ lines: 12, problems: [] });
  });

  it('removes whole days after thirty, and the rest still verifies', async () => {
    await filled(2, 33);
    const report = await verifyAudit(folder);
    expect(report.problems).toEqual([]);
    const days = (await readdir(folder)).filter((name) => name.endsWith('.jsonl'));
    expect(days.toSorted()[0]).toBe('2026-11-23.jsonl');
    expect(days).toHaveLength(31);
    await rm(join(folder, '2026-11-23.jsonl'));
    expect((await verifyAudit(folder)).problems).toMatchObject([{ where: '2026-11-24.jsonl:1' }]);
    nowMs += 100 * dayMs;
    await filled(1);
    expect(await kinds()).toEqual(['start', 'end', 'purged', 'start', 'end'].slice(2));
  });

  it('is written by one process', async () => {
    const mine = auditLog(folder, clock);
    await mine.append(start('a'));
    await filled(1);
    await expect(mine.append(start('b'))).rejects.toMatchObject({ code: 'sandbox.fault' });
    await mine.append(start('c'));
    await mine.close();
    expect((await verifyAudit(folder)).problems).toEqual([]);
  });

  it('has every line that was acknowledged, whenever its process is killed', async () => {
    const program = `
      const { auditLog } = await import(${JSON.stringify(join(import.meta.dirname, 'audit-log.ts'))});
      const log = auditLog(${JSON.stringify(folder)}, { nowMs: () => ${nowMs} });
      for (let i = 0; ; i += 1) process.stdout.write((await log.append(${JSON.stringify(start('rep_x'))})) + '\\n');`;
    let acknowledged = 0;
    for (let round = 0; round < 4; round += 1) {
      const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      let count = 0;
      for await (const chunk of child.stdout.setEncoding('utf8')) {
        acknowledged = Number((chunk as string).trimEnd().split('\n').at(-1));
        if ((count += 1) > 5 + round * 7) child.kill('SIGKILL');
      }
      const report = await verifyAudit(folder);
      expect(report.problems).toEqual([]);
      expect(report.head.n).toBeGreaterThanOrEqual(acknowledged);
    }
    await filled(1);
    expect(await verifyAudit(folder)).toMatchObject({ open: 0, problems: [] });
  });

  it('gives up its oldest days, and refuses where today alone fills it', async () => {
    await filled(4, 3);
    const log = auditLog(folder, clock, 8000);
    await log.append(start('a'));
    expect((await readdir(folder)).toSorted()[0]).toBe('2026-11-22.jsonl');
    expect((await verifyAudit(folder)).problems).toEqual([]);
    const many = Promise.all(Array.from({ length: 2000 }, () => log.append(start('b'))));
    await expect(many).rejects.toMatchObject({ code: 'sandbox.fault', message: expect.stringContaining('8000 bytes') });
    await log.close();
    expect((await readdir(folder)).toSorted()).toEqual(['2026-11-23.jsonl', 'head.json']);
    expect((await verifyAudit(folder)).problems).toEqual([]);
  });
});

describe('an audited driver', () => {
  const unit: SandboxUnit = {
    label: 'rep_1',
    runner: 'platform-runner:python-3.14',
    entryPoint: 'main.py',
    args: ['--n', '7'],
    inputs: [],
    outputDir: 'results',
    environment: { SECRET: 'not logged' },
    network: [{ host: 'example.org', port: 443 }],
    limits: conformanceLimits,
  };
  const outcome: SandboxOutcome = {
    ending: { kind: 'killed', why: 'policy' },
    usage: { wallMs: 10, cpuMs: 5, peakBytes: 1 },
    evidence: {
      signal: 'SIGSYS',
      breach: 'a sealed import was called',
      connections: [{ host: 'example.org', port: 443, allowed: true, bytes: 9 }],
    },
    outputs: [{ path: 'a', sizeBytes: 3, sha256: parseSha256('a'.repeat(64))! }],
    outputRoot: '',
    release: async () => {},
  };
  const driver = (run: SandboxDriver['run']): SandboxDriver => ({
    name: 'docker',
    probe: async () => ({
      driver: 'docker',
      usable: true,
      detail: 'gVisor',
      runners: [{ runner: unit.runner, digest: 'd'.repeat(64) }],
    }),
    run,
    sweep: async () => 0,
    close: async () => {},
  });
  const run = (under: SandboxDriver) => under.run(unit, () => {}, new AbortController().signal);

  it('says what starts before it starts, and how it ended', async () => {
    let seen: string[] = [];
    const watched = audited(
      driver(async () => {
        seen = await kinds();
        return outcome;
      }),
      auditLog(folder, clock),
    );
    expect(await run(watched)).toBe(outcome);
    await watched.close();
    expect(seen).toEqual(['start']);
    const text = await readFile(file(), 'utf8');
    const [first, second] = text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as object);
    expect(first).toMatchObject({
      n: 1,
      kind: 'start',
      driver: 'docker',
      holds: 'gVisor',
      digest: 'd'.repeat(64),
      args: ['--n', '7'],
      limits: conformanceLimits,
      network: unit.network,
    });
    expect(second).toMatchObject({
      n: 2,
      start: 1,
      ending: outcome.ending,
      usage: { cpuMs: 5, source: 'cgroup' },
      signal: 'SIGSYS',
      breach: 'a sealed import was called',
      connectionCount: 1,
      outputs: 1,
      outputBytes: 3,
    });
    expect(text).not.toContain('not logged');
  });

  it('writes an end where the driver refuses, and starts nothing that it cannot write down', async () => {
    const refused = audited(
      driver(() => Promise.reject(refuse('sandbox.refused', 'no'))),
      auditLog(folder, clock),
    );
    await expect(run(refused)).rejects.toMatchObject({ code: 'sandbox.refused' });
    await refused.close();
    expect(await kinds()).toEqual(['start', 'end']);
    let started = false;
    const deaf = audited(
      driver(async () => {
        started = true;
        return outcome;
      }),
      auditLog(join(file(), 'no-folder'), clock),
    );
    await expect(run(deaf)).rejects.toMatchObject({ code: 'sandbox.fault' });
    expect(started).toBe(false);
  });
});
