/** Whatever arrives is answered: bodies, queries and paths near and far from their schemas never make a fault. */

import {
  array,
  assert as check,
  asyncProperty,
  boolean,
  constant,
  constantFrom,
  integer,
  jsonValue,
  nat,
  oneof,
  record,
  string,
  stringMatching,
  type Arbitrary,
} from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestJob, fund, openScene, type Person, type Scene } from '../market-scene.setup.ts';
import type { Route } from './routes/route.ts';
import { routes } from './routes/table.ts';
import { namedSchemas } from './schemas/named.ts';

interface Schema {
  readonly $ref?: string;
  readonly type?: string;
  readonly enum?: readonly string[];
  readonly anyOf?: readonly Schema[];
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly maxItems?: number;
}

let jobId = '';

/** Values of the schema, some of them broken. */
function near(schema: Schema, depth = 0): Arbitrary<unknown> {
  const wild = oneof(jsonValue({ maxDepth: 1 }), constantFrom<unknown>('\u0000', '', -1, 2 ** 53, [], {}, null));
  return oneof({ weight: 12, arbitrary: valid(schema, depth) }, { weight: 1, arbitrary: wild });
}

function valid(schema: Schema, depth: number): Arbitrary<unknown> {
  if (schema.$ref !== undefined) return near(namedSchemas.get(schema.$ref.replace('#', '')) as Schema, depth);
  if (schema.enum) return constantFrom(...schema.enum);
  if (schema.anyOf) return oneof(...schema.anyOf.map((one) => near(one, depth)));
  switch (schema.type) {
    case 'object':
      return record(
        Object.fromEntries(Object.entries(schema.properties ?? {}).map(([key, one]) => [key, near(one, depth + 1)])),
        { requiredKeys: [...(schema.required ?? [])] },
      );
    case 'array':
      return array(near(schema.items ?? {}, depth + 1), { maxLength: Math.min(3, schema.maxItems ?? 3) });
    case 'integer':
    case 'number':
      return integer({ min: Math.ceil(schema.minimum ?? -10), max: Math.min(schema.maximum ?? 1000, 2 ** 31) });
    case 'boolean':
      return boolean();
    case 'null':
      return constant(null);
    case undefined:
    default:
      return textOf(schema);
  }
}

function textOf({ pattern }: Schema): Arbitrary<string> {
  const hex = stringMatching(/^[0-9a-f]{32}$/);
  const prefix = /^\^([a-z]{3})_\[0-9a-f\]\{32\}\$$/.exec(pattern ?? '')?.[1];
  if (prefix !== undefined)
    return oneof(
      hex.map((one) => `${prefix}_${one}`),
      constant('').map(() => jobId),
    );
  if (pattern === undefined) return oneof(string({ maxLength: 30 }), string({ unit: 'binary', maxLength: 10 }));
  return stringMatching(new RegExp(pattern));
}

function textOr(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value).toWellFormed() : 'x';
}

let scene: Scene;
const people: Person[] = [];

beforeAll(async () => {
  scene = await openScene({ ASSAY_RATE_BURST: '100000' });
  for (const role of ['customer', 'provider', 'operator', 'arbiter', 'auditor'])
    people.push(await scene.person(role, [role]));
  const [customer] = people;
  if (!customer) return;
  const job = await createTestJob(customer);
  await fund(scene, customer, job);
  jobId = job.id;
});
afterAll(() => scene.close());

const streams = new Set(['text/event-stream']);
const rows = Object.entries<Route>(routes).filter(
  ([, row]) => !streams.has(row.media ?? '') && row.upload !== 'multipart/form-data',
);

test.each(rows)('%s', { timeout: 60_000 }, async (_name, row) => {
  const empty = constant({});
  const request = record({
    params: row.params ? valid(row.params as Schema, 0) : empty,
    query: row.query ? near(row.query as Schema) : empty,
    body: row.body ? near(row.body as Schema) : jsonValue({ maxDepth: 2 }),
    key: string({ minLength: 8, maxLength: 20, unit: 'grapheme-ascii' }),
    who: nat(people.length),
  });
  await check(
    asyncProperty(request, async ({ params, query, body, key, who }) => {
      const values = params as Record<string, unknown>;
      const path = row.path.replaceAll(/:(\w+)|\*/g, (whole, name: string | undefined) =>
        encodeURIComponent(textOr(values[name ?? whole])),
      );
      const search = new URLSearchParams();
      if (typeof query === 'object' && query !== null) {
        for (const [name, value] of Object.entries(query)) if (name !== 'waitMs') search.append(name, textOr(value));
      }
      const person = people[who];
      const sends = row.method === 'POST' || row.method === 'PUT';
      const response = await scene.running.server.app.inject({
        method: row.method,
        url: `${path}?${search.toString()}`,
        headers: {
          ...(person && row.access !== 'probe' ? { authorization: `Bearer ${person.key}` } : {}),
          ...(sends ? { 'content-type': 'application/json' } : {}),
          'idempotency-key': key,
        },
        ...(sends ? { payload: JSON.stringify(body) } : {}),
      });
      expect({ path, status: response.statusCode, body: response.body }).toSatisfy(() => response.statusCode < 500);
      if (response.statusCode >= 400) expect(response.json()).toHaveProperty('code');
    }),
    { numRuns: 40 },
  );
});
