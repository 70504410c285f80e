/** The suite that every driver and runtime must survive: each probe in the sandbox, and in an open setting as its control. */

import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { InputFile, SandboxOutcome } from '@assay/core';
import { runPython, type SandboxHarness } from '@assay/core/conformance';
import { attackModule } from './open-wasi.setup.ts';
import { rPrelude } from './probes/r.setup.ts';
import { wasiNeighbour } from './probes/wasi.setup.ts';
import { openCanaries, type Canaries } from './canaries.setup.ts';
import { hostState } from './host-state.setup.ts';
import { fill, showsEscape, type Finding, type Language, type Probe } from './probe.setup.ts';
import { probes } from './probes.setup.ts';
import { cpythonPrelude, pythonPrelude } from './probes/prelude.setup.ts';
import { recordRun, type Row } from './record.setup.ts';

export interface Attempt {
  readonly id: string;
  readonly code: string;
}

/** A driver with what the suite needs beside it. */
export interface AttackKit extends SandboxHarness {
  readonly language: Language;
  /** The folder on this machine under which it keeps everything. */
  readonly folder: string;
  /** Versions of what holds the unit, for the record. */
  readonly versions: Readonly<Record<string, string>>;
  /** What it is known not to hold, by probe, with the reason: it stands in the page and is not counted as held. */
  readonly residual: Readonly<Record<string, string>>;
  /** What each attempt printed in an open setting, with what a careless collector printed of its results, by id. */
  open(attempts: readonly Attempt[], canaries: Canaries): Promise<ReadonlyMap<string, string>>;
  /** What it has on this machine while nothing runs: containers, processes. */
  left(): Promise<readonly string[]>;
  close(): Promise<void>;
}

const entryPoints: Record<Language, string> = {
  cpython: 'main.py',
  pyodide: 'main.py',
  r: 'main.R',
  wasi: 'main.wasm',
};
const preludes: Record<Language, string> = { cpython: cpythonPrelude, pyodide: pythonPrelude, r: rPrelude, wasi: '' };
const limits = { wallMs: 15_000, logBytes: 1024 * 1024, outputFiles: 1000 };

/** The probe's program with everything filled in; undefined where the language cannot say it. */
export function programOf(probe: Probe, language: Language, canaries: Canaries): string | undefined {
  const code = probe.code[language];
  if (code === undefined) return undefined;
  const filled = fill(code, canaries.names);
  return language === 'wasi' ? filled : `${preludes[language]}\n${filled}\n`;
}

/** A unit's files for a program: WASI has one module for all, which reads what to do. */
function filesOf(language: Language, code: string): Record<string, string | Uint8Array> {
  return language === 'wasi' ? { 'main.wasm': attackModule, task: code } : { [entryPoints[language]]: code };
}

/** Runs one probe in the sandbox and says what it showed. */
export async function attack(kit: AttackKit, probe: Probe, canaries: Canaries): Promise<Finding> {
  const code = programOf(probe, kit.language, canaries);
  if (code === undefined) throw new Error(`${probe.id} has no code for ${kit.language}`);
  canaries.touched();
  const entryPoint = entryPoints[kit.language];
  const inputs = await kit.lay(filesOf(kit.language, code));
  const { outcome, stdout, stderr } = await runPython(kit, '', { entryPoint, inputs, limits, label: 'attack' });
  try {
    const texts = [stdout, stderr, await resultsOf(outcome)];
    const shown = texts.map((text) => showsEscape(text, canaries.secret)).find((text) => text !== undefined);
    const touched = [...canaries.touched(), ...(await changed(inputs))];
    if (shown !== undefined) return { verdict: 'escaped', how: shown };
    if (touched.length > 0) return { verdict: 'escaped', how: `touched: ${touched.join(', ')}` };
    const ending = describeEnding(outcome);
    const expected: readonly string[] = probe.expected ?? ['exit'];
    return { verdict: expected.includes(ending) ? 'held' : 'odd', how: ending };
  } finally {
    await outcome.release();
  }
}

/** The host's copies of the inputs that are not what they were. */
async function changed(inputs: readonly InputFile[]): Promise<string[]> {
  const hashes = inputs.map(async ({ hostPath, sha256, path }) => {
    const now = createHash('sha256')
      .update(await readFile(hostPath))
      .digest('hex');
    return now === sha256 ? [] : [`the input ${path}`];
  });
  return (await Promise.all(hashes)).flat();
}

async function resultsOf(outcome: SandboxOutcome): Promise<string> {
  const files = outcome.outputs.filter((file) => file.sizeBytes < 1024 * 1024);
  const texts = files.map((file) => readFile(join(outcome.outputRoot, file.sha256), 'utf8'));
  return [...outcome.outputs.map((file) => file.path), ...(await Promise.all(texts))].join('\n');
}

function describeEnding({ ending }: SandboxOutcome): string {
  if (ending.kind === 'exit') return 'exit';
  return ending.kind === 'killed' ? `killed: ${ending.why}` : `fault: ${ending.message}`;
}

/** Which attempts get through where nothing holds them; the others prove nothing in the sandbox either. */
export async function controls(
  kit: AttackKit,
  canaries: Canaries,
  chosen: readonly Probe[],
): Promise<Map<string, boolean>> {
  const attempts = chosen.map((probe) => ({ id: probe.id, code: programOf(probe, kit.language, canaries) ?? '' }));
  const texts = await kit.open(attempts, canaries);
  return new Map(attempts.map(({ id }) => [id, showsEscape(texts.get(id) ?? '', canaries.secret) !== undefined]));
}

/** Programs that hide what is in their input `mine` and wait. */
const python =
  "import time\nopen('/tmp/mine', 'w').write(open('mine').read())\nend = time.time() + 60\nwhile time.time() < end: time.sleep(0.1)\n";
const neighbours: Record<Language, string> = {
  cpython: python,
  pyodide: python,
  r: "writeLines(readLines('mine', warn = FALSE), '/tmp/mine')\nSys.sleep(60)\n",
  wasi: wasiNeighbour,
};

/** A unit that holds the canary's secret in its files, arguments and environment while `work` runs. */
async function besideNeighbour<T>(kit: AttackKit, canaries: Canaries, work: () => Promise<T>): Promise<T> {
  const stop = new AbortController();
  const entryPoint = entryPoints[kit.language];
  const inputs = await kit.lay({ ...filesOf(kit.language, neighbours[kit.language]), mine: canaries.secret });
  const unit = {
    entryPoint,
    inputs,
    args: [canaries.secret],
    environment: { SECRET: canaries.secret },
    limits: { wallMs: 60_000 },
  };
  const running = runPython(kit, '', unit, stop.signal);
  await pause(1500);
  try {
    return await work();
  } finally {
    stop.abort();
    await (await running).outcome.release();
  }
}

/** The suite. The kit is opened once; the results are recorded where ASSAY_ATTACK_RESULTS names a folder. */
export function attackSuite(name: string, language: Language, openKit: () => Promise<AttackKit>): void {
  const said = probes.filter((probe) => probe.code[language] !== undefined);
  describe(`attacks on ${name}`, () => {
    let kit: AttackKit;
    let canaries: Canaries;
    let through: Map<string, boolean>;
    let before: Awaited<ReturnType<typeof hostState>>;
    const rows: Row[] = [];

    beforeAll(async () => {
      kit = await openKit();
      process.env['ASSAY_CANARY'] = 'set below';
      canaries = await openCanaries(kit.folder);
      process.env['ASSAY_CANARY'] = canaries.secret;
      await kit.driver.probe();
      through = await controls(kit, canaries, said);
      canaries.touched();
      before = await hostState(await kit.left());
    }, 450_000);
    afterAll(async () => {
      delete process.env['ASSAY_CANARY'];
      await recordRun(name, kit, language, probes, rows);
      await canaries.close();
      await kit.close();
    });

    it.each(said.map((probe) => [probe.id, probe.what, probe] as const))(
      '%s: %s',
      async (_id, _what, probe) => {
        expect(through.get(probe.id), 'the control must get through in an open setting').toBe(true);
        const run = () => attack(kit, probe, canaries);
        const finding = probe.neighbour ? await besideNeighbour(kit, canaries, run) : await run();
        const residual = kit.residual[probe.id];
        rows.push({ id: probe.id, ...finding, ...(residual === undefined ? {} : { residual }) });
        if (residual === undefined) expect(finding).toMatchObject({ verdict: 'held' });
        else expect(finding.verdict, `is listed as not held: ${residual}`).not.toBe('odd');
      },
      90_000,
    );

    it('leaves the host as it was', async () => {
      // Dead containers are removed when nothing else is to do.
      await expect.poll(() => kit.left(), { timeout: 90_000, interval: 500 }).toEqual(before.left);
      expect(await hostState(await kit.left())).toEqual(before);
    }, 100_000);
  });
}
