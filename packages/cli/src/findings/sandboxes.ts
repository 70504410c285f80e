/** What each sandbox driver of this machine answers to a probe. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DriverReport, RunnerReport } from '@assay/core';
import { localDriver, type WorkerSettings } from '@assay/worker';
import { systemClock } from '../system-clock.ts';
import type { Finding } from './finding.ts';

export interface SandboxFindings {
  readonly findings: readonly Finding[];
  /** Of all drivers that can be used. */
  readonly runners: readonly RunnerReport[];
}

/** Probes the drivers that the settings choose, each alone. */
export async function sandboxFindings(cacheDir: string, settings: WorkerSettings): Promise<SandboxFindings> {
  const chosen = (['wasm', 'docker'] as const).filter((name) => ['all', name].includes(settings.sandbox));
  const findings: Finding[] = [];
  const runners: RunnerReport[] = [];
  for (const sandbox of chosen) {
    const report = await probe(cacheDir, { ...settings, sandbox });
    findings.push(findingOf(sandbox, report));
    if (report.usable) runners.push(...report.runners);
  }
  if (runners.length > 0) return { findings, runners };
  return { findings: findings.map((finding) => ({ ...finding, state: 'problem' as const })), runners };
}

function findingOf(sandbox: string, report: DriverReport): Finding {
  const what = `sandbox ${sandbox}`;
  if (!report.usable) return { what, state: 'missing', text: report.detail };
  return { what, state: 'ok', text: `${report.runners.map(({ runner }) => runner).join(', ')} (${report.detail})` };
}

async function probe(
  cacheDir: string,
  settings: WorkerSettings & { readonly sandbox: 'wasm' | 'docker' },
): Promise<DriverReport> {
  // Only WebAssembly keeps something: its interpreters, which take a while to stage.
  const folder = settings.sandbox === 'wasm' ? cacheDir : await mkdtemp(join(tmpdir(), 'assay-check-'));
  const driver = localDriver({ folder, note: () => undefined, clock: systemClock, settings: { ...settings, warm: 0 } });
  try {
    return await driver.probe();
  } finally {
    await driver.close();
    if (folder !== cacheDir) await rm(folder, { recursive: true, force: true });
  }
}
