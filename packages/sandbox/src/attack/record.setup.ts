/** Writes what a run of the suite showed, for the table in the runner's page. */

import { mkdir, writeFile } from 'node:fs/promises';
import { release } from 'node:os';
import { join } from 'node:path';
import type { AttackKit } from './attack-suite.setup.ts';
import type { Finding, Language, Probe } from './probe.setup.ts';

export interface Row extends Finding {
  readonly id: string;
  readonly residual?: string;
}

/** `<name>.json` in the folder that ASSAY_ATTACK_RESULTS names; nothing where it names none. */
export async function recordRun(
  name: string,
  kit: AttackKit,
  language: Language,
  probes: readonly Probe[],
  rows: readonly Row[],
): Promise<void> {
  const folder = process.env['ASSAY_ATTACK_RESULTS'];
  if (folder === undefined || folder === '') return;
  const found = new Map(rows.map((row) => [row.id, row]));
  const record = {
    name,
    date: new Date().toISOString().slice(0, 10),
    kernel: release(),
    versions: { node: process.version, ...kit.versions },
    rows: probes.map(({ id, group, what, without }) => {
      const row = found.get(id);
      return row
        ? { ...row, group, what }
        : { id, group, what, verdict: 'unsaid', how: without?.[language] ?? 'not run' };
    }),
  };
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, `${name.replaceAll(/[^a-z0-9]+/g, '-')}.json`), `${JSON.stringify(record, null, 2)}\n`);
}
