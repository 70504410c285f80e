/** Any sandbox driver, with a line in the audit log before each start and one after. */

import { limits, Refusal, type LogSink, type SandboxDriver, type SandboxOutcome, type SandboxUnit } from '@assay/core';
import type { EndEntry, StartEntry } from './audit-line.ts';
import type { AuditLog } from './audit-log.ts';

/** The driver; no unit starts before the line that says so is on the disk. */
export function audited(driver: SandboxDriver, log: AuditLog): SandboxDriver {
  const reports = new Map<string, Held>();
  const holds = async (runner: string): Promise<Held> => {
    if (!reports.has(runner)) {
      const report = await driver.probe();
      for (const one of report.runners) {
        reports.set(one.runner, { driver: one.driver ?? report.driver, digest: one.digest, holds: report.detail });
      }
    }
    return reports.get(runner) ?? { driver: driver.name, digest: null, holds: null };
  };
  return {
    ...driver,
    async run(unit, sink, stop) {
      const held = await holds(unit.runner);
      const start = await log.append(startOf(held, unit));
      return follow(driver, log, { start, held }, unit, sink, stop);
    },
    async close() {
      await driver.close();
      await log.close();
    },
  };
}

/** What runs a unit, as far as its driver says. */
type Held = Pick<StartEntry, 'driver' | 'digest' | 'holds'>;

interface Begun {
  readonly start: number;
  readonly held: Held;
}

async function follow(
  driver: SandboxDriver,
  log: AuditLog,
  begun: Begun,
  unit: SandboxUnit,
  sink: LogSink,
  stop: AbortSignal,
): Promise<SandboxOutcome> {
  let outcome: SandboxOutcome;
  try {
    outcome = await driver.run(unit, sink, stop);
  } catch (error) {
    await log.append(endWithout(begun, unit.label, error));
    throw error;
  }
  try {
    await log.append(endOf(begun, unit.label, outcome));
  } catch (error) {
    await outcome.release();
    throw error;
  }
  return outcome;
}

function startOf(held: Held, unit: SandboxUnit): StartEntry {
  return {
    kind: 'start',
    label: unit.label,
    ...held,
    runner: unit.runner,
    entryPoint: unit.entryPoint,
    args: unit.args,
    limits: unit.limits,
    network: unit.network ?? [],
  };
}

function endOf({ start, held }: Begun, label: string, outcome: SandboxOutcome): EndEntry {
  const { ending, usage, evidence, outputs } = outcome;
  const connections = evidence.connections ?? [];
  return {
    kind: 'end',
    start,
    label,
    ending,
    // Both drivers measure from outside: one by the control group, one by the process.
    usage: { ...usage, source: held.driver === 'docker' ? 'cgroup' : 'process' },
    signal: evidence.signal ?? null,
    outOfMemory: evidence.outOfMemory ?? false,
    breach: evidence.breach ?? null,
    connections: connections.slice(0, limits.auditConnections),
    connectionCount: connections.length,
    outputs: outputs.length,
    outputBytes: outputs.reduce((total, file) => total + file.sizeBytes, 0),
  };
}

function endWithout({ start }: Begun, label: string, error: unknown): EndEntry {
  const message = error instanceof Error ? error.message : String(error);
  return {
    kind: 'end',
    start,
    label,
    ending:
      error instanceof Refusal
        ? { kind: 'refused', code: error.code }
        : { kind: 'infra', message: message.slice(0, limits.failureReasonChars) },
    usage: null,
    signal: null,
    outOfMemory: false,
    breach: null,
    connections: [],
    connectionCount: 0,
    outputs: 0,
    outputBytes: 0,
  };
}
