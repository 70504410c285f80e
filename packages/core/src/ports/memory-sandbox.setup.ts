/** A sandbox without walls for tests: a unit's "code" is a function of ours. */

import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseSha256 } from '../hash.ts';
import type { TreeFile } from '../tree.ts';
import type { Ending, LogSink, RunEvidence, SandboxDriver, SandboxUnit } from './sandbox.ts';

/** What a unit's code sees. */
export interface MemoryUnit {
  readonly unit: SandboxUnit;
  /** The text of an input. */
  readonly read: (path: string) => Promise<string>;
  readonly log: LogSink;
  readonly stop: AbortSignal;
}

/** How it ends and what it leaves in its output folder. */
export interface MemoryEnd {
  readonly ending?: Ending;
  readonly evidence?: RunEvidence;
  readonly files?: Readonly<Record<string, string>>;
}

/** A driver that runs `program` for every unit of `runner`. */
export function memorySandbox(
  program: (unit: MemoryUnit) => Promise<MemoryEnd>,
  runner = 'platform-runner:python-3.14',
): SandboxDriver {
  return {
    name: 'wasm',
    probe: async () => ({
      driver: 'wasm',
      usable: true,
      detail: 'no walls: for tests',
      runners: [{ runner, digest: '0'.repeat(64) }],
    }),
    async run(unit, log, stop) {
      const outputRoot = await mkdtemp(join(tmpdir(), 'assay-memory-sandbox-'));
      const hostPaths = new Map(unit.inputs.map((input) => [input.path, input.hostPath]));
      const read = (path: string) => readFile(hostPaths.get(path) ?? join(outputRoot, 'no such input'), 'utf8');
      const end = await program({ unit, read, log, stop });
      const ending: Ending = stop.aborted
        ? { kind: 'killed', why: 'operator' }
        : (end.ending ?? { kind: 'exit', code: 0 });
      const outputs: TreeFile[] = [];
      for (const [path, text] of ending.kind === 'exit' ? Object.entries(end.files ?? {}) : []) {
        const sha256 = parseSha256(createHash('sha256').update(text).digest('hex'));
        if (sha256 === undefined) throw new Error('SHA-256 in hex');
        await writeFile(join(outputRoot, sha256), text);
        outputs.push({ path, sizeBytes: Buffer.byteLength(text), sha256 });
      }
      outputs.sort((a, b) => (a.path < b.path ? -1 : 1));
      const usage = { wallMs: 1, cpuMs: 1, peakBytes: 1 };
      const release = () => rm(outputRoot, { recursive: true, force: true });
      return { ending, usage, evidence: end.evidence ?? {}, outputs, outputRoot, release };
    },
    sweep: async () => 0,
    close: async () => {},
  };
}
