/** The number that a metric job is judged by, read once from the text that the replica revealed. */

import type { UnitKind } from '@assay/core';
import type { BodyReveal } from './exchange-body.ts';
import type { JobFacts } from './job-facts.ts';

/** The named number in JavaScript's shortest notation; null where the job asks for none or the run wrote none. */
export function metricIn(facts: JobFacts | undefined, kind: UnitKind, reveal: BodyReveal): string | null {
  const verification = facts?.manifest.verification;
  if (verification?.type !== 'metric' || kind === 'merge' || reveal.exitCode !== 0 || reveal.metrics === null)
    return null;
  let value: unknown;
  try {
    value = JSON.parse(reveal.metrics);
  } catch {
    return null;
  }
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, verification.metric_name)) return null;
  const metric = (value as Record<string, unknown>)[verification.metric_name];
  return typeof metric === 'number' && Number.isFinite(metric) ? String(metric) : null;
}
