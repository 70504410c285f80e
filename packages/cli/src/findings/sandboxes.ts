/** What each sandbox driver of this machine answers to a probe. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '@assay/server';
import { localDriver, type WorkerSettings } from '@assay/worker';
import type { Finding } from './finding.ts';

/** Probes the drivers that the settings choose, each alone. */
export async function sandboxFindings(cacheDir: string, settings: WorkerSettings): Promise<Finding[]> {
  const chosen = (['wasm', 'docker'] as const).filter((name) => ['all', name].includes(settings.sandbox));
  const findings: Finding[] = [];
  for (const sandbox of chosen) findings.push(await probe(cacheDir, { ...settings, sandbox }));
  if (findings.some(({ state }) => state === 'ok')) return findings;
  return findings.map((finding) => ({ ...finding, state: 'problem' as const }));
}

async function probe(
  cacheDir: string,
  settings: WorkerSettings & { readonly sandbox: 'wasm' | 'docker' },
): Promise<Finding> {
  const what = `sandbox ${settings.sandbox}`;
  // Only WebAssembly keeps something: its interpreter, which takes a while to stage.
  const folder = settings.sandbox === 'wasm' ? cacheDir : await mkdtemp(join(tmpdir(), 'assay-check-'));
  const driver = localDriver({ folder, note: () => undefined, clock: systemClock, settings: { ...settings, warm: 0 } });
  try {
    const report = await driver.probe();
    if (!report.usable) return { what, state: 'missing', text: report.detail };
    return { what, state: 'ok', text: `${report.runners.map(({ runner }) => runner).join(', ')} (${report.detail})` };
  } finally {
    await driver.close();
    if (folder !== cacheDir) await rm(folder, { recursive: true, force: true });
  }
}
