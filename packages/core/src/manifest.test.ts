import { Ajv2020 } from 'ajv/dist/2020.js';
import * as fc from 'fast-check';
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { Refusal } from './errors.ts';
import { canonicalJson } from './hash.ts';
import { limits } from './limits.ts';
import { manifestSchema, type Manifest } from './manifest-shape.ts';
import {
  budgetOf,
  canonicalManifest,
  comparatorOf,
  manifestHash,
  missingFiles,
  networkTargetsOf,
  parseManifest,
  parseManifestText,
  timeoutMsOf,
  unitCountOf,
  type ManifestFault,
} from './manifest.ts';

const runner = 'platform-runner:python-3.14';
const rules = { runners: [runner, 'platform-runner:pytorch-2.2.0'] };
const least = { runner, entry_point: 'main.py', budget_usd: 5 };
const sha256 = (bytes: Uint8Array): Uint8Array => createHash('sha256').update(bytes).digest();

/** The example of the requirements (D16), with what is not offered yet left out. */
const full = {
  name: 'Training',
  runner: 'platform-runner:pytorch-2.2.0',
  entry_point: 'train.py',
  args: ['--epochs', '10', '--batch', '32'],
  data_dir: 'data/',
  output_dir: 'results/',
  resources: { cpu_cores: 4, memory_gb: 8, gpu: false, expected_minutes: 30 },
  parallelism: { strategy: 'data_parallel', chunks: 10, merge_script: 'merge.py' },
  verification: { type: 'metric', metric_name: 'val_loss', tolerance: 0.01, redundancy: 3 },
  environment: { random_seed: 42, runner_version: 'pytorch-2.2.0' },
  network_whitelist: [],
  timeout_hours: 24,
  budget_usd: 500,
  region_preference: 'eu',
};

describe('parseManifest', () => {
  it('keeps a full manifest as it is', () => {
    expect(parseManifest(full, rules)).toEqual(full);
  });

  it('fills in the defaults', () => {
    expect(parseManifest(least, rules)).toEqual({
      ...least,
      args: [],
      output_dir: 'results/',
      resources: { cpu_cores: 1, memory_gb: 1, gpu: false, expected_minutes: 5 },
      parallelism: { strategy: 'data_parallel', chunks: 1 },
      verification: { type: 'exact', redundancy: 3 },
      environment: {},
      network_whitelist: [],
      timeout_hours: 1,
      region_preference: 'eu',
    });
    const metric = parseManifest({ ...least, verification: { type: 'metric', metric_name: 'x', tolerance: 0 } }, rules);
    expect(metric.verification.redundancy).toBe(3);
    expect(parseManifest({ ...least, timeout_hours: 0.05 }, rules).resources.expected_minutes).toBe(3);
    expect(parseManifest({ ...least, output_dir: 'out', data_dir: 'in' }, rules)).toMatchObject({
      output_dir: 'out/',
      data_dir: 'in/',
    });
  });

  it('reports all faults at once, each with its path and code', () => {
    const faults = faultsOf({
      runner: 'platform-runner:cobol-1',
      entry_pont: 'main.py',
      args: ['ok', 7],
      resources: { cpu_cores: 1000 },
      parallelism: { chunks: 0 },
      budget_usd: '5',
    });
    expect(faults.map(({ path, code }) => [path, code])).toEqual([
      ['entry_pont', 'manifest.unknown_key'],
      ['entry_point', 'manifest.malformed'],
      ['args[1]', 'manifest.malformed'],
      ['resources.cpu_cores', 'manifest.out_of_bounds'],
      ['parallelism.chunks', 'manifest.out_of_bounds'],
      ['budget_usd', 'manifest.malformed'],
    ]);
    expect(faults[0]?.message).toBe('is not a known key; did you mean entry_point?');
  });

  /** One fault each: [change, path, code]. */
  const wrong: [Record<string, unknown>, string, string][] = [
    [{ runner: 'platform-runner:cobol-1' }, 'runner', 'manifest.unknown_runner'],
    [{ runner: 'no tag' }, 'runner', 'manifest.malformed'],
    [{ entry_point: '../main.py' }, 'entry_point', 'manifest.malformed'],
    [{ entry_point: '/main.py' }, 'entry_point', 'manifest.malformed'],
    [{ entry_point: 'x/' }, 'entry_point', 'manifest.malformed'],
    [{ entry_point: 'nul.py' }, 'entry_point', 'manifest.malformed'],
    [{ entry_point: '' }, 'entry_point', 'manifest.out_of_bounds'],
    [{ args: Array(limits.args + 1).fill('') }, 'args', 'manifest.out_of_bounds'],
    [{ args: ['x'.repeat(limits.argChars + 1)] }, 'args[0]', 'manifest.out_of_bounds'],
    [{ args: ['\u0000'] }, 'args[0]', 'manifest.malformed'],
    [{ args: ['\ud800'] }, 'args[0]', 'manifest.malformed'],
    [{ args: 'x' }, 'args', 'manifest.malformed'],
    [{ data_dir: '..' }, 'data_dir', 'manifest.malformed'],
    [{ data_dir: 'results' }, 'output_dir', 'manifest.malformed'],
    [{ resources: null }, 'resources', 'manifest.malformed'],
    [{ resources: { cpu_cores: 0 } }, 'resources.cpu_cores', 'manifest.out_of_bounds'],
    [{ resources: { memory_gb: limits.memoryGb + 0.5 } }, 'resources.memory_gb', 'manifest.out_of_bounds'],
    [{ resources: { gpu: 'yes' } }, 'resources.gpu', 'manifest.malformed'],
    [{ resources: { expected_minutes: 61 } }, 'resources.expected_minutes', 'manifest.out_of_bounds'],
    [{ resources: { cpus: 1 } }, 'resources.cpus', 'manifest.unknown_key'],
    [{ parallelism: { strategy: 'pipeline' } }, 'parallelism.strategy', 'manifest.malformed'],
    [{ parallelism: { chunks: limits.chunks + 1 } }, 'parallelism.chunks', 'manifest.out_of_bounds'],
    [{ parallelism: { chunks: 1.5 } }, 'parallelism.chunks', 'manifest.malformed'],
    [{ verification: { redundancy: 0 } }, 'verification.redundancy', 'manifest.out_of_bounds'],
    [{ verification: { redundancy: limits.redundancy + 1 } }, 'verification.redundancy', 'manifest.out_of_bounds'],
    [{ verification: { tolerance: 0.1 } }, 'verification.tolerance', 'manifest.unknown_key'],
    [{ verification: { type: 'metric', tolerance: 0.1 } }, 'verification.metric_name', 'manifest.malformed'],
    [{ verification: { type: 'metric', metric_name: 'x' } }, 'verification.tolerance', 'manifest.malformed'],
    [
      { verification: { type: 'metric', metric_name: 'x', tolerance: -1 } },
      'verification.tolerance',
      'manifest.out_of_bounds',
    ],
    [
      { verification: { type: 'statistical', stat_test: 'ks', alpha: 0.05 } },
      'verification.type',
      'manifest.unsupported',
    ],
    [{ verification: { type: 'tee' } }, 'verification.type', 'manifest.unsupported'],
    [{ verification: { tee_required: true } }, 'verification.tee_required', 'manifest.unsupported'],
    [{ verification: { type: 'trust me' } }, 'verification.type', 'manifest.malformed'],
    [{ environment: { random_seed: -1 } }, 'environment.random_seed', 'manifest.out_of_bounds'],
    [{ environment: { random_seed: limits.randomSeed + 1 } }, 'environment.random_seed', 'manifest.out_of_bounds'],
    [{ environment: { runner_version: 'pytorch-2.2.0' } }, 'environment.runner_version', 'manifest.malformed'],
    [{ network_whitelist: 'example.org' }, 'network_whitelist', 'manifest.malformed'],
    [{ network_whitelist: [''] }, 'network_whitelist[0]', 'manifest.out_of_bounds'],
    [
      { network_whitelist: Array(limits.networkTargets + 1).fill('example.org') },
      'network_whitelist',
      'manifest.out_of_bounds',
    ],
    [{ timeout_hours: 0 }, 'timeout_hours', 'manifest.out_of_bounds'],
    [{ timeout_hours: limits.timeoutHours + 1 }, 'timeout_hours', 'manifest.out_of_bounds'],
    [{ budget_usd: 0 }, 'budget_usd', 'manifest.out_of_bounds'],
    [{ budget_usd: 1e9 }, 'budget_usd', 'manifest.out_of_bounds'],
    [{ budget_usd: 1.005 }, 'budget_usd', 'manifest.malformed'],
    [{ budget_usd: Number.NaN }, 'budget_usd', 'manifest.malformed'],
    [{ region_preference: 'mars' }, 'region_preference', 'manifest.malformed'],
    [{ name: '' }, 'name', 'manifest.out_of_bounds'],
    [{ name: 'two\nlines' }, 'name', 'manifest.malformed'],
    [{ webhook: 'x' }, 'webhook', 'manifest.unknown_key'],
    [JSON.parse('{"__proto__": {}}') as Record<string, unknown>, '__proto__', 'manifest.unknown_key'],
  ];
  it.each(wrong)('finds the fault in %j', (change, path, code) => {
    const value = Object.defineProperties({ ...least }, Object.getOwnPropertyDescriptors(change));
    expect(faultsOf(value).map((fault) => [fault.path, fault.code])).toEqual([[path, code]]);
  });

  it('refuses a graphics processor with a runner that gives none, where that is judged', () => {
    const asked = { ...least, resources: { gpu: true } };
    expect(parseManifest(asked, rules).resources.gpu).toBe(true);
    expect(parseManifest(asked, { ...rules, gpuRunners: rules.runners }).resources.gpu).toBe(true);
    for (const gpuRunners of [[], ['platform-runner:other']]) {
      expect(() => parseManifest(asked, { ...rules, gpuRunners })).toThrow(
        /resources\.gpu asks for a graphics processor/,
      );
      expect(parseManifest(least, { ...rules, gpuRunners }).resources.gpu).toBe(false);
    }
  });

  const noTargets = [
    '192.0.2.1 192.0.2.1:443 1.2.3 0x7f.1 127.0.0.0x1 2130706433 [::1]:443 ::1 a.b.7 example localhost localhost:80',
    '* *.example.org example.* a.localhost printer.local:631 metadata.google.internal 1.0.0.127.in-addr.arpa x.onion',
    'Example.org bücher.example example.org. .example.org a..example.org -a.example.org a-.example.org a_b.example.org',
    'example.org:0 example.org:65536 example.org:99999 example.org:080 example.org: example.org:http example.org:1:1',
    `https://example.org example.org/path user@example.org ${'a'.repeat(64)}.org ${'a.'.repeat(126)}orgs`,
  ].flatMap((line) => line.split(' '));
  it.each([...noTargets, ' example.org', 'example.org\n'])('lets no unit out to %j', (target) => {
    const faults = faultsOf({ ...least, network_whitelist: ['example.org', target] });
    expect(faults.map((fault) => [fault.path, fault.code])).toEqual([['network_whitelist[1]', 'manifest.malformed']]);
  });

  it('reads hosts and ports, each once, 443 where none is named', () => {
    const long = `${'a.'.repeat(125)}org`;
    const network_whitelist = [
      'data.example.org',
      'data.example.org:443',
      'files.example.org:8443',
      'xn--bcher-kva.example:1',
      long,
    ];
    expect(networkTargetsOf(parseManifest({ ...least, network_whitelist }, rules))).toEqual([
      { host: 'data.example.org', port: 443 },
      { host: 'files.example.org', port: 8443 },
      { host: 'xn--bcher-kva.example', port: 1 },
      { host: long, port: 443 },
    ]);
    expect(networkTargetsOf(parseManifest(least, rules))).toEqual([]);
  });

  it.each([1, 9, 10, 99, 9999, 10_000, 59_999, 60_000, 64_999, 65_499, 65_529, 65_535])('reads port %i', (port) => {
    const network_whitelist = [`example.org:${port}`];
    expect(networkTargetsOf(parseManifest({ ...least, network_whitelist }, rules))).toEqual([
      { host: 'example.org', port },
    ]);
  });

  it.each([null, [], 'x', 7, undefined])('refuses %j in place of an object', (value) => {
    expect(faultsOf(value)).toEqual([{ path: '', code: 'manifest.malformed', message: 'must be an object' }]);
  });

  it('reads text, and refuses what is no JSON or too long', () => {
    expect(parseManifestText(`\uFEFF${JSON.stringify(full)}\n`, rules)).toEqual(full);
    expect(() => parseManifestText('{', rules)).toThrow(/is not JSON/);
    expect(() => parseManifestText(' '.repeat(limits.manifestBytes + 1), rules)).toThrow(/characters/);
  });
});

describe('manifestSchema', () => {
  const ajv = new Ajv2020({ strict: true, strictRequired: false, multipleOfPrecision: 6, allErrors: true });
  const fits = ajv.compile(manifestSchema);
  /** The rules that JSON Schema cannot say. */
  const crossed = new Set(['runner', 'environment.runner_version', 'resources.expected_minutes', 'output_dir']);

  it('agrees with the parser on every case above', () => {
    expect(fits(full)).toBe(true);
    expect(fits(least)).toBe(true);
  });

  it('agrees with the parser on any mixture of good and bad values', () => {
    let accepted = 0;
    let refused = 0;
    fc.assert(
      fc.property(mixture, (value) => {
        const faults = faultsOf(value).filter((fault) => !crossed.has(fault.path) || !fits(value));
        expect(faults.length === 0, JSON.stringify({ value, faults, errors: fits.errors })).toBe(fits(value));
        if (faults.length === 0) accepted += 1;
        else refused += 1;
      }),
      { numRuns: 3000 },
    );
    expect(accepted).toBeGreaterThan(100);
    expect(refused).toBeGreaterThan(100);
  });

  it('accepts what the parser makes', () => {
    fc.assert(
      fc.property(mixture, (value) => {
        if (faultsOf(value).length > 0) return;
        const once = parseManifest(value, rules);
        expect(fits(once), JSON.stringify(fits.errors)).toBe(true);
        expect(parseManifest(once, rules)).toEqual(once);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('what follows from a manifest', () => {
  const manifest = parseManifest(full, rules);

  it('counts units, milliseconds and cents', () => {
    expect(unitCountOf(manifest)).toBe(11);
    expect(unitCountOf(parseManifest(least, rules))).toBe(1);
    expect(timeoutMsOf(manifest)).toBe(86_400_000);
    expect(budgetOf(parseManifest({ ...least, budget_usd: 4.35 }, rules))).toEqual({ currency: 'USD', minor: 435n });
    expect(comparatorOf(manifest)).toEqual({ type: 'metric', tolerance: 0.01 });
    expect(comparatorOf(parseManifest(least, rules))).toEqual({ type: 'exact' });
  });

  it('knows every amount of cents exactly', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: Number(limits.budgetMinor) }), (cents) => {
        const text = `${Math.floor(cents / 100)}.${String(cents % 100).padStart(2, '0')}`;
        expect(budgetOf(parseManifest({ ...least, budget_usd: Number(text) }, rules)).minor).toBe(BigInt(cents));
      }),
    );
  });

  it('hashes the same for every order of keys, and otherwise for every change', () => {
    const turned = Object.fromEntries(Object.entries(full).toReversed());
    expect(manifestHash(sha256, parseManifest(turned, rules))).toBe(manifestHash(sha256, manifest));
    const other = parseManifest({ ...full, verification: { ...full.verification, tolerance: 0.02 } }, rules);
    expect(manifestHash(sha256, other)).not.toBe(manifestHash(sha256, manifest));
  });

  it('has the hash that receipts hold (golden)', () => {
    expect(canonicalJson(canonicalManifest(manifest))).toContain('"tolerance":"0.01"');
    expect(manifestHash(sha256, manifest)).toMatchInlineSnapshot(
      `"4bd4269ecd3d393febbbf94ceeb51b65fbe042632e47e4c4bcfed96b1ab4d538"`,
    );
  });

  it('names the files that the bundle lacks', () => {
    const bundle = ['train.py', 'data/x.csv'].map((path) => ({
      path,
      sizeBytes: 1,
      sha256: manifestHash(sha256, manifest),
    }));
    expect(missingFiles(manifest, bundle).map((fault) => [fault.path, fault.code])).toEqual([
      ['parallelism.merge_script', 'manifest.file_missing'],
    ]);
    expect(missingFiles(manifest, []).map((fault) => fault.path)).toEqual([
      'entry_point',
      'data_dir',
      'parallelism.merge_script',
    ]);
  });
});

/** Objects whose values are mostly right, sometimes at a bound, sometimes wrong. */
const odd = fc.constantFrom<unknown>(
  null,
  true,
  -1,
  0,
  0.1,
  0.125,
  1,
  1.5,
  3,
  9,
  10,
  64,
  1e12,
  1e13,
  4294967296,
  '',
  'x',
  'a/b',
  '..',
  'con.txt',
  'é',
  [],
  ['x'],
  {},
  { type: 'x' },
);
const often = (...good: unknown[]): fc.Arbitrary<unknown> =>
  fc.oneof({ weight: 12, arbitrary: fc.constantFrom(...good) }, { weight: 1, arbitrary: odd });
const part = (fields: Record<string, fc.Arbitrary<unknown>>, needed: string[] = []): fc.Arbitrary<unknown> => {
  const all: Record<string, fc.Arbitrary<unknown>> = { ...fields };
  return fc
    .tuple(fc.record(all, { requiredKeys: needed }), fc.nat({ max: 30 }))
    .map(([value, dice]) => (dice === 0 ? { ...value, surplus: 1 } : value));
};
const mixture: fc.Arbitrary<unknown> = part(
  {
    name: often('A job', 'Ω'),
    runner: often(runner, 'platform-runner:pytorch-2.2.0', 'platform-runner:other'),
    entry_point: often('main.py', 'src/main.py'),
    args: often([], ['--n', '10']),
    data_dir: often('data', 'data/', 'a/b/'),
    output_dir: often('results/', 'out', 'data/'),
    resources: part({
      cpu_cores: often(1, 0.5, 64),
      memory_gb: often(2, 0.125, 256),
      gpu: often(true, false),
      expected_minutes: often(1, 5, 100),
    }),
    parallelism: part({ strategy: often('data_parallel'), chunks: often(1, 10_000), merge_script: often('merge.py') }),
    verification: fc.oneof(
      part({ type: often('exact'), redundancy: often(1, 9), tee_required: often(false) }),
      part({ type: often('metric'), metric_name: often('loss'), tolerance: often(0, 0.01), redundancy: often(2) }, [
        'type',
        'metric_name',
        'tolerance',
      ]),
    ),
    environment: part({ random_seed: often(0, 42), runner_version: often('python-3.14') }),
    network_whitelist: often([], ['example.org'], ['example.org:8443', 'example.org'], ['192.0.2.1'], ['a.local:1']),
    timeout_hours: often(0.001, 1, 168),
    budget_usd: often(0.01, 5, 5.1, 100_000_000),
    region_preference: often('ru', 'eu', 'us', 'cn'),
  },
  ['runner', 'entry_point', 'budget_usd'],
);

function faultsOf(value: unknown): ManifestFault[] {
  try {
    const manifest: Manifest = parseManifest(value, rules);
    expect(manifest.runner).toBeTruthy();
    return [];
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const { faults } = error.details as { faults: ManifestFault[] };
    expect(error.code).toBe(faults[0]?.code);
    return faults;
  }
}
