/** The number that a metric job is judged by, read once from the text that the replica revealed. */

import { readMetric, type UnitKind } from '@assay/core';
import type { BodyReveal } from './exchange-body.ts';
import type { JobFacts } from './job-facts.ts';

/** The named number in JavaScript's shortest notation; null where the job asks for none or the run wrote none. */
export function metricIn(facts: JobFacts | undefined, kind: UnitKind, reveal: BodyReveal): string | null {
  const verification = facts?.manifest.verification;
  if (verification?.type !== 'metric' || kind === 'merge' || reveal.exitCode !== 0 || reveal.metrics === null)
    return null;
  const metric = readMetric(reveal.metrics, verification.metric_name);
  return metric === null ? null : String(metric);
}
