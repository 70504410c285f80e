/** The shape of a receipt: every key known, every text of an exact form. */

import {
  idPattern,
  idPrefixes,
  integerShape,
  limits,
  listShape,
  oneOfShape,
  receiptFormat,
  recordShape,
  safePathPattern,
  textShape,
  currencyExponents,
  type Currency,
  type IdKind,
  type JsonSchema,
  type Receipt,
  type Shape,
} from '@assay/core';

const hash = textShape({ pattern: '^[0-9a-f]{64}$', rule: '64 hex digits', max: 64 });
const signature = textShape({ pattern: '^[0-9a-f]{128}$', rule: '128 hex digits', max: 128 });
const free = (max: number): Shape<string> =>
  textShape({ pattern: '^[^\\ud800-\\udfff]*$', rule: 'well-formed text', max });
const count = integerShape(0, Number.MAX_SAFE_INTEGER);
const exitCode = integerShape(-255, 255);

const amount = recordShape({
  currency: oneOfShape(Object.keys(currencyExponents) as Currency[]),
  minor: textShape({ pattern: '^(?:0|[1-9][0-9]{0,17})$', rule: 'whole minor units', max: 18 }),
});

const tree = listShape(
  recordShape({
    path: textShape({ pattern: safePathPattern, rule: 'a safe path', max: 255 }),
    sizeBytes: count,
    sha256: hash,
  }),
  limits.bundleFiles,
);

const terms = recordShape({ perReplica: amount, cap: amount, deposit: amount, redundancy: count, units: count });

const comparator = either(
  (value) => isObject(value) && value['rule'] === 'exact/1',
  recordShape({ rule: oneOfShape(['exact/1']), quorum: count }),
  recordShape({
    rule: oneOfShape(['metric/1']),
    quorum: count,
    metric: free(limits.metricNameChars),
    tolerance: free(32),
  }),
);

const leaf = recordShape({
  envelope: count,
  path: listShape(textShape({ pattern: '^[LR][0-9a-f]{64}$', rule: 'a side and a hash', max: 65 }), 64),
});

const replica = recordShape({
  replica: id('replica'),
  worker: id('worker'),
  machineClass: textShape({ pattern: '^[!-~]{1,121}$', rule: 'a machine class', max: 121 }),
  nonce: hash,
  commitment: hash,
  digest: hash,
  exitCode,
  metrics: nullable(free(limits.metricsFileBytes)),
  committed: leaf,
  revealed: leaf,
});

const replicasMax = limits.redundancy * limits.replicaAttemptsFactor;

const unit = recordShape({
  unit: id('unit'),
  ordinal: count,
  kind: oneOfShape(['work', 'merge']),
  batch: count,
  verdict: recordShape({
    digest: hash,
    exitCode,
    metric: nullable(free(32)),
    canonical: id('replica'),
    agreeing: listShape(id('replica'), replicasMax),
  }),
  outputs: tree,
  replicas: listShape(replica, replicasMax),
});

const fact = recordShape({
  transaction: free(limits.receiptBytes),
  txIndex: count,
  txPath: listShape(hash, 64),
  header: free(limits.receiptBytes),
  chainPath: listShape(hash, 64),
  head: count,
});

const head = recordShape({ block: count, blockHash: hash, chainRoot: hash, atMs: count, publicKey: hash, signature });

const envelope = recordShape({
  worker: id('worker'),
  request: id('request'),
  sentAtMs: count,
  statementsRoot: hash,
  bodySha256: hash,
  signature,
});

const payee = recordShape({ account: id('account'), replicas: count, gross: amount, commission: amount, net: amount });

const unitsMax = limits.chunks + 1;

/** The receipt as a shape; what its ids and hashes mean is checked elsewhere. */
export const receiptShape = recordShape({
  format: oneOfShape([receiptFormat]),
  job: id('job'),
  state: oneOfShape(['verified', 'completed', 'refunded']),
  manifest: anyObject(),
  bundle: tree,
  terms,
  comparator,
  devices: listShape(
    recordShape({ worker: id('worker'), owner: id('account'), publicKey: hash }),
    unitsMax * replicasMax,
  ),
  envelopes: listShape(envelope, 2 * unitsMax * replicasMax),
  units: listShape(unit, unitsMax),
  ledger: recordShape({ heads: listShape(head, unitsMax), facts: listShape(fact, unitsMax) }),
  ruling: nullable(
    recordShape({ outcome: oneOfShape(['COMPLETED', 'REFUNDED']), refund: amount, reason: free(10_000) }),
  ),
  money: nullable(recordShape({ payees: listShape(payee, unitsMax * replicasMax), refunded: amount })),
}) as unknown as Shape<Receipt>;

/** The receipt as JSON Schema 2020-12. */
export const receiptSchema: JsonSchema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'Assay receipt',
  ...receiptShape.schema,
};

function id(kind: IdKind): Shape<string> {
  return textShape({ pattern: idPattern(kind), rule: `${idPrefixes[kind]}_ and 32 hex digits`, max: 40 });
}

function nullable<T>(shape: Shape<T>): Shape<T | null> {
  return {
    schema: { anyOf: [shape.schema, { type: 'null' }] },
    read: (value, path, report) => (value === null ? null : shape.read(value, path, report)),
  };
}

function either<A, B>(isFirst: (value: unknown) => boolean, first: Shape<A>, second: Shape<B>): Shape<A | B> {
  return {
    schema: { anyOf: [first.schema, second.schema] },
    read: (value, path, report) => (isFirst(value) ? first : second).read(value, path, report),
  };
}

/** An object that another parser reads. */
function anyObject(): Shape<Record<string, unknown>> {
  return {
    schema: { type: 'object' },
    read(value, path, report) {
      if (isObject(value)) return value;
      report({ path, kind: 'malformed', message: 'must be an object' });
      return undefined;
    },
  };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
