/** The manifest of a job (D16): what runs, on what, how it is split, verified and paid. Strict: what is unknown is a fault. */

import { refuse, type Refusal } from './errors.ts';
import type { ErrorCode } from './error-codes.ts';
import { canonicalJson, hashOf, type CanonicalValue, type Sha256, type Sha256Hex } from './hash.ts';
import { limits } from './limits.ts';
import { manifestShape, type Manifest } from './manifest-shape.ts';
import { money, type Money } from './money.ts';
import type { NetworkTarget } from './ports/sandbox.ts';
import type { Tree } from './tree.ts';
import { repeatedKey } from './repeated-key.ts';
import type { ShapeFault } from './shape.ts';
import type { UnitKind } from './unit.ts';
import type { Comparator } from './verdict.ts';

/** One fault of a manifest, as `details.faults` lists them. */
export interface ManifestFault {
  readonly path: string;
  readonly code: ErrorCode;
  readonly message: string;
}

export interface ManifestRules {
  /** The allowlist of runners. */
  readonly runners: readonly string[];
  /** The runners whose units can be given a graphics processor; left out where that is not to be judged. */
  readonly gpuRunners?: readonly string[];
}

/**
 * Reads a manifest from JSON of unknown shape and fills in the defaults. Refuses with the first fault's code and all
 * faults in `details.faults`.
 */
export function parseManifest(value: unknown, rules: ManifestRules): Manifest {
  const faults: ManifestFault[] = [];
  const report = (fault: ShapeFault): void => {
    faults.push({ path: fault.path, code: `manifest.${fault.kind}`, message: fault.message });
  };
  const read = manifestShape.read(value, '', report);
  const manifest = read && withExpectation(read);
  if (manifest) faults.push(...crossFaults(manifest, rules));
  if (manifest && faults.length === 0) return manifest;
  const [first] = faults;
  const text = faults.map((fault) => `${fault.path || 'the manifest'} ${fault.message}`).join('; ');
  throw refuse(first?.code ?? 'manifest.malformed', text, { faults });
}

/** Reads the text of manifest.json; refuses as `parseManifest` does. */
export function parseManifestText(text: string, rules: ManifestRules): Manifest {
  return parseManifest(manifestJson(text), rules);
}

/** The JSON that a manifest's text holds; refuses `manifest.malformed`, also for a key that stands twice. */
export function manifestJson(text: string): unknown {
  if (text.length > limits.manifestBytes) throw refuseWhole(`has more than ${limits.manifestBytes} characters`);
  let value: unknown;
  try {
    value = JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch (error) {
    throw refuseWhole(`is not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  const twice = repeatedKey(text);
  if (twice !== undefined) throw refuseWhole(`has the key ${JSON.stringify(twice)} twice in one object`);
  return value;
}

function refuseWhole(message: string): Refusal {
  return refuse('manifest.malformed', `manifest.json ${message}`, {
    faults: [{ path: '', code: 'manifest.malformed', message }],
  });
}

/** What hashes and receipts carry: the manifest with defaults filled in and fractions as decimal strings. */
export function canonicalManifest(manifest: Manifest): { readonly [key: string]: CanonicalValue } {
  return withoutFractions(manifest) as { readonly [key: string]: CanonicalValue };
}

/** Reads what `canonicalManifest` wrote; refuses `manifest.malformed` where that would write it otherwise. */
export function manifestFromCanonical(value: { readonly [key: string]: CanonicalValue }): Manifest {
  const runners = typeof value['runner'] === 'string' ? [value['runner']] : [];
  const manifest = parseManifest(withFractions(value, fractionPaths), { runners });
  if (canonicalJson(canonicalManifest(manifest)) === canonicalJson(value)) return manifest;
  throw refuse('manifest.malformed', 'the manifest is not in its canonical form', {});
}

/** The hash that identifies the order on the ledger and in receipts. */
export function manifestHash(sha256: Sha256, manifest: Manifest): Sha256Hex {
  return hashOf(sha256, 'manifest', canonicalManifest(manifest));
}

/** The files that the manifest names and the bundle lacks, as faults `manifest.file_missing`. */
export function missingFiles(manifest: Manifest, bundle: Tree): ManifestFault[] {
  const named: [path: string, file: string | undefined][] = [
    ['entry_point', manifest.entry_point],
    ['data_dir', manifest.data_dir],
    ['parallelism.merge_script', manifest.parallelism.merge_script],
  ];
  const has = (file: string): boolean =>
    bundle.some((one) => (file.endsWith('/') ? one.path.startsWith(file) : one.path === file));
  return named.flatMap(([path, file]) =>
    file === undefined || has(file)
      ? []
      : [{ path, code: 'manifest.file_missing' as const, message: `names ${file}, which the bundle lacks` }],
  );
}

/** The most that the customer is willing to pay. */
export function budgetOf(manifest: Manifest): Money {
  return money('USD', BigInt(Math.round(manifest.budget_usd * 100)));
}

/** The longest that one run may take, in whole milliseconds. */
export function timeoutMsOf(manifest: Manifest): number {
  return Math.ceil(manifest.timeout_hours * 3_600_000);
}

/** The hosts and ports that units may connect to, each once; 443 where the manifest names no port. */
export function networkTargetsOf(manifest: Manifest): NetworkTarget[] {
  const targets = new Map<string, NetworkTarget>();
  for (const text of manifest.network_whitelist) {
    const [host = '', port = '443'] = text.split(':');
    targets.set(`${host}:${port}`, { host, port: Number(port) });
  }
  return [...targets.values()];
}

/** How results of the job's units are compared; a merge is always compared bit for bit. */
export function comparatorOf(manifest: Manifest, kind: UnitKind = 'work'): Comparator {
  const { verification } = manifest;
  return verification.type === 'metric' && kind === 'work'
    ? { type: 'metric', tolerance: verification.tolerance }
    : { type: 'exact' };
}

/** How many units the job has: its chunks, and one that merges them where a script is named. */
export function unitCountOf(manifest: Manifest): number {
  return manifest.parallelism.chunks + (manifest.parallelism.merge_script === undefined ? 0 : 1);
}

const standardExpectedMinutes = 5;

/** Fills in the expected minutes: five, or the timeout where that is shorter. */
function withExpectation(read: Manifest): Manifest {
  const minutes = read.resources.expected_minutes ?? Math.min(standardExpectedMinutes, read.timeout_hours * 60);
  return { ...read, resources: { ...read.resources, expected_minutes: minutes } };
}

/** What no single key can tell: the only rules that the published schema does not hold. */
function crossFaults(manifest: Manifest, rules: ManifestRules): ManifestFault[] {
  const faults: ManifestFault[] = [];
  const { runner, environment, resources, timeout_hours: hours } = manifest;
  if (!rules.runners.includes(runner)) {
    const message = `is ${runner}, which is not one of ${rules.runners.join(', ')}`;
    faults.push({ path: 'runner', code: 'manifest.unknown_runner', message });
  }
  if (resources.gpu && rules.gpuRunners !== undefined && !rules.gpuRunners.includes(runner)) {
    const message = `asks for a graphics processor, which this deployment does not offer with ${runner}`;
    faults.push({ path: 'resources.gpu', code: 'manifest.unsupported', message });
  }
  const version = environment.runner_version;
  if (version !== undefined && version !== runner.slice(runner.indexOf(':') + 1)) {
    const message = `is ${version}, but the runner is ${runner}`;
    faults.push({ path: 'environment.runner_version', code: 'manifest.malformed', message });
  }
  if ((resources.expected_minutes ?? 0) > hours * 60) {
    const message = 'is longer than timeout_hours';
    faults.push({ path: 'resources.expected_minutes', code: 'manifest.out_of_bounds', message });
  }
  if (manifest.data_dir !== undefined && manifest.data_dir === manifest.output_dir) {
    faults.push({ path: 'output_dir', code: 'manifest.malformed', message: 'is the same folder as data_dir' });
  }
  return faults;
}

/** Where the canonical form may write a number as a string. */
const fractionPaths: readonly string[] = [
  'resources.cpu_cores',
  'resources.memory_gb',
  'resources.expected_minutes',
  'verification.tolerance',
  'timeout_hours',
  'budget_usd',
];

function withFractions(value: { readonly [key: string]: CanonicalValue }, paths: readonly string[]): unknown {
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => {
      if (typeof member === 'string' && paths.includes(key)) return [key, Number(member)];
      if (typeof member !== 'object' || member === null || Array.isArray(member)) return [key, member];
      const below = paths.filter((path) => path.startsWith(`${key}.`)).map((path) => path.slice(key.length + 1));
      return [key, withFractions(member as { readonly [key: string]: CanonicalValue }, below)];
    }),
  );
}

function withoutFractions(value: unknown): unknown {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? value : String(value);
  if (Array.isArray(value)) return value.map(withoutFractions);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, withoutFractions(member)]));
}
