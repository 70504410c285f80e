/**
 * Several drivers as one: each runner belongs to the first driver that reported it, so that units of one runner stay in
 * one machine class. A runner never moves to another driver between two probes, whatever happens to its own.
 */

import { refuse, type DriverReport, type RunnerReport, type SandboxDriver } from '@assay/core';

/** One driver over `drivers`, the preferred one first. */
export function severalDrivers(drivers: readonly SandboxDriver[]): SandboxDriver {
  let reports: Promise<readonly DriverReport[]> | undefined;
  let routes = new Map<string, SandboxDriver>();
  const probe = async (): Promise<DriverReport> => {
    reports = Promise.all(drivers.map(reportOf));
    const known = await reports;
    routes = new Map(
      drivers
        .flatMap((driver, index) => (known[index]?.runners ?? []).map(({ runner }) => [runner, driver] as const))
        .toReversed(),
    );
    return merged(drivers, known);
  };
  return {
    name: 'several',
    probe,
    async run(unit, log, stop) {
      if (!reports) await probe();
      const driver = routes.get(unit.runner);
      if (!driver)
        throw refuse('sandbox.refused', 'no driver of this worker runs that runner', { runner: unit.runner });
      return driver.run(unit, log, stop);
    },
    async sweep() {
      if (!reports) await probe();
      const known = await reports;
      const able = drivers.filter((_, index) => known?.[index]?.usable === true);
      const counts = await Promise.all(able.map((driver) => driver.sweep()));
      return counts.reduce((sum, count) => sum + count, 0);
    },
    async close() {
      await Promise.all(drivers.map((driver) => driver.close()));
    },
  };
}

/** A driver whose probe breaks is not usable, which is no reason to lose the others. */
async function reportOf(driver: SandboxDriver): Promise<DriverReport> {
  try {
    const report = await driver.probe();
    return report.usable ? report : { ...report, runners: [] };
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    return { driver: driver.name, usable: false, detail, runners: [] };
  }
}

function merged(drivers: readonly SandboxDriver[], reports: readonly DriverReport[]): DriverReport {
  const runners = new Map<string, RunnerReport>();
  const details: string[] = [];
  drivers.forEach(({ name }, index) => {
    const report = reports[index];
    const own = name === 'several' ? {} : { driver: name };
    for (const one of report?.runners ?? []) {
      if (!runners.has(one.runner)) runners.set(one.runner, { ...own, ...one });
    }
    details.push(
      report?.usable === true ? `${name}: ${report.detail}` : `${name} is not usable: ${report?.detail ?? ''}`,
    );
  });
  return {
    driver: 'several',
    usable: reports.some((report) => report.usable),
    detail: details.join('; '),
    runners: [...runners.values()],
  };
}
