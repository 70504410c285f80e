/** The keys of a manifest with their bounds and defaults: the parser's table and the published JSON Schema. */

import { limits } from './limits.ts';
import { regions, type Region } from './ports/object-store.ts';
import { safeFolderPattern, safePathPattern } from './tree.ts';
import {
  decimalShape,
  described,
  flagShape,
  integerShape,
  join,
  listShape,
  oneOfShape,
  recordShape,
  textShape,
  withDefault,
  type JsonSchema,
  type Report,
  type Shape,
} from './shape.ts';

/** Every way of verification that manifests name; `statistical` and `tee` are refused as unsupported for now. */
export const verificationTypes = ['exact', 'metric', 'statistical', 'tee'] as const;
export type VerificationType = (typeof verificationTypes)[number];

/** The keys are those of the document, so that the manifest shown is the manifest sent. */
export interface Manifest {
  readonly name?: string;
  readonly runner: string;
  readonly entry_point: string;
  readonly args: readonly string[];
  /** With a slash at the end. */
  readonly data_dir?: string;
  /** With a slash at the end. */
  readonly output_dir: string;
  readonly resources: {
    readonly cpu_cores: number;
    readonly memory_gb: number;
    readonly gpu: boolean;
    /** Always there after parsing. */
    readonly expected_minutes?: number;
  };
  readonly parallelism: { readonly strategy: 'data_parallel'; readonly chunks: number; readonly merge_script?: string };
  readonly verification: Verification;
  readonly environment: { readonly random_seed?: number; readonly runner_version?: string };
  readonly network_whitelist: readonly string[];
  readonly timeout_hours: number;
  readonly budget_usd: number;
  readonly region_preference: Region;
}

export type Verification =
  | { readonly type: 'exact'; readonly redundancy: number; readonly tee_required?: false }
  | {
      readonly type: 'metric';
      readonly metric_name: string;
      readonly tolerance: number;
      readonly redundancy: number;
      readonly tee_required?: false;
    };

const plainText = '^[^\\u0000-\\u001f\\u007f\\ud800-\\udfff]*$';

const file = textShape({ pattern: safePathPattern, rule: 'a relative path of plain characters', min: 1, max: 255 });
const folder = withSlash(
  textShape({ pattern: safeFolderPattern, rule: 'a relative folder of plain characters', min: 1, max: 255 }),
);

const redundancy = described(
  'Agreeing replicas to buy of each unit.',
  withDefault(integerShape(1, limits.redundancy), 3),
);

const exact = recordShape(
  { type: withDefault(oneOfShape(['exact']), 'exact'), redundancy },
  { tee_required: oneOfShape([false]) },
);
const metric = recordShape(
  {
    type: oneOfShape(['metric']),
    metric_name: textShape({
      pattern: '^[A-Za-z_][A-Za-z0-9_.-]*$',
      rule: 'a name of letters, digits, _ . -',
      min: 1,
      max: limits.metricNameChars,
    }),
    tolerance: described('The greatest absolute difference that agrees.', decimalShape(0, limits.tolerance)),
    redundancy,
  },
  { tee_required: oneOfShape([false]) },
);

const verification: Shape<Verification> = {
  schema: { type: 'object', oneOf: [exact.schema, metric.schema] },
  read(value, path, report) {
    const type = typeof value === 'object' && value !== null && 'type' in value ? value.type : 'exact';
    const tee = typeof value === 'object' && value !== null && 'tee_required' in value && value.tee_required === true;
    if (type === 'statistical' || type === 'tee')
      return unsupported(report, join(path, 'type'), `${type} verification`);
    if (tee) return unsupported(report, join(path, 'tee_required'), 'attestation');
    if (type !== 'exact' && type !== 'metric') {
      report({ path: join(path, 'type'), kind: 'malformed', message: `must be ${verificationTypes.join(', ')}` });
      return undefined;
    }
    return type === 'metric' ? metric.read(value, path, report) : exact.read(value, path, report);
  },
};

const label = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?';
/** Names that mean something on the worker's own machine or network. */
const localNames = 'localhost|local|internal|arpa|onion';
const portNumber = '[1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]';

/** A last label that begins with a letter keeps out every way of writing an address. */
const networkTarget = textShape({
  pattern:
    `^(?=[^:]{1,${limits.hostNameChars}}(?::|$))(?!(?:.*\\.)?(?:${localNames})(?::|$))` +
    `(?:${label}\\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?(?::(?:${portNumber}))?$`,
  rule: 'a DNS name in lower case, not an address and not a local name, with :port where it is not 443',
  min: 1,
  max: limits.hostNameChars + ':65535'.length,
});

/** Whether a text names one host and port as `network_whitelist` may. */
export function isNetworkTarget(text: string): boolean {
  return networkTarget.read(text, '', () => undefined) !== undefined;
}

const resources = recordShape(
  {
    cpu_cores: withDefault(decimalShape(limits.cpuCoresMin, limits.cpuCores), 1),
    memory_gb: withDefault(decimalShape(limits.memoryGbMin, limits.memoryGb), 1),
    gpu: described(
      'Whether units need a graphics processor; refused where the market has no workers that give them one.',
      withDefault(flagShape(), false),
    ),
  },
  {
    expected_minutes: described(
      'How long one run takes, which fixes the price; 5 or the timeout where it is shorter.',
      decimalShape(limits.expectedMinutesMin, limits.timeoutHours * 60),
    ),
  },
);

const parallelism = recordShape(
  {
    strategy: withDefault(oneOfShape(['data_parallel']), 'data_parallel'),
    chunks: withDefault(integerShape(1, limits.chunks), 1),
  },
  {
    merge_script: described(
      'Runs over the agreed outputs of all chunks, of which each may then write an equal share of what a merge may be given.',
      file,
    ),
  },
);

const environment = recordShape(
  {},
  {
    random_seed: integerShape(0, limits.randomSeed),
    runner_version: textShape({ pattern: plainText, rule: 'plain text', min: 1, max: limits.runnerChars }),
  },
);

/** The manifest as a shape. */
export const manifestShape: Shape<Manifest> = recordShape(
  {
    runner: described(
      'A runner of the allowlist, such as platform-runner:python-3.14.',
      textShape({
        pattern: '^[a-z0-9][a-z0-9._/-]*:[A-Za-z0-9][A-Za-z0-9._-]*$',
        rule: 'name:tag',
        max: limits.runnerChars,
      }),
    ),
    entry_point: file,
    args: withDefault(
      listShape(
        textShape({ pattern: '^[^\\u0000\\ud800-\\udfff]*$', rule: 'text without NUL', max: limits.argChars }),
        limits.args,
      ),
      [],
    ),
    output_dir: withDefault(folder, 'results/'),
    resources: withDefault(resources, { cpu_cores: 1, memory_gb: 1, gpu: false }),
    parallelism: withDefault(parallelism, { strategy: 'data_parallel', chunks: 1 }),
    verification: withDefault(verification, { type: 'exact', redundancy: 3 }),
    environment: withDefault(environment, {}),
    network_whitelist: described(
      'The only hosts that units may connect to, as host or host:port; workers that allow it alone take such a job.',
      withDefault(listShape(networkTarget, limits.networkTargets), []),
    ),
    timeout_hours: withDefault(decimalShape(limits.timeoutHoursMin, limits.timeoutHours), 1),
    budget_usd: described(
      'The most the job may cost.',
      decimalShape(Number(limits.budgetMinorMin) / 100, Number(limits.budgetMinor) / 100, 2),
    ),
    region_preference: withDefault(oneOfShape(regions), 'eu'),
  },
  {
    name: textShape({ pattern: plainText, rule: 'plain text', min: 1, max: limits.jobNameChars }),
    data_dir: folder,
  },
);

/** The manifest as JSON Schema 2020-12. */
export const manifestSchema: JsonSchema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'Assay job manifest',
  ...manifestShape.schema,
};

function withSlash(shape: Shape<string>): Shape<string> {
  return {
    ...shape,
    read(value, path, report) {
      const read = shape.read(value, path, report);
      return read === undefined || read.endsWith('/') ? read : `${read}/`;
    },
  };
}

function unsupported(report: Report, path: string, what: string): undefined {
  report({ path, kind: 'unsupported', message: `asks for ${what}, which this deployment does not offer` });
}
