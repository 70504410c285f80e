/** The OpenAPI 3.1 document, made from the route table. */

import swagger from '@fastify/swagger';
import Fastify, { type FastifyInstance } from 'fastify';
import { describeRoute, uploadSchema } from './describe.ts';
import type { Route } from './routes/route.ts';
import { routes } from './routes/table.ts';
import { namedSchemas } from './schemas/named.ts';

const info = {
  title: 'Assay',
  version: '1',
  description: 'A marketplace for verified computation.',
  license: { name: 'MIT', identifier: 'MIT' },
};

const securitySchemes = {
  session: { type: 'apiKey', in: 'cookie', name: 'assay_session' },
  apiKey: { type: 'http', scheme: 'bearer' },
  device: {
    type: 'apiKey',
    in: 'header',
    name: 'assay-signature',
    description: 'An ed25519 signature of the device, with assay-worker, assay-request, assay-sent-at and assay-root.',
  },
} as const;

/** Makes `app` able to write the document of the routes that are registered after this. */
export async function registerOpenApi(app: FastifyInstance): Promise<void> {
  await app.register(swagger, {
    openapi: { openapi: '3.1.1', info, components: { securitySchemes } },
    refResolver: { buildLocalReference: (json, _base, _fragment, i) => (json.$id as string | undefined) ?? `def-${i}` },
    transform: ({ schema, url, route }) => {
      const upload = route.config?.row;
      const body = upload ? uploadSchema(upload) : undefined;
      return { schema: body ? { ...schema, body } : schema, url: url.replace('*', ':path') };
    },
  });
  for (const schema of namedSchemas.values()) app.addSchema(schema);
}

/** The document, with keys in a stable order. */
export async function openApiDocument(): Promise<Record<string, unknown>> {
  const app = Fastify();
  await registerOpenApi(app);
  for (const [operationId, row] of Object.entries<Route>(routes)) {
    app.route({
      method: row.method,
      url: row.path,
      schema: describeRoute(operationId, row),
      config: { row },
      handler: async () => undefined,
    });
  }
  await app.ready();
  const document = documentOf(app);
  await app.close();
  return document;
}

/** The document of an app that is ready. */
export function documentOf(app: FastifyInstance): Record<string, unknown> {
  return tidy(app.swagger()) as Record<string, unknown>;
}

/** Drops what only Fastify needs, so that the document is plain JSON Schema. */
function tidy(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(tidy);
  if (value === null || typeof value !== 'object') return value;
  const entries = Object.entries(value).filter(([key, member]) => !(key === '$id' && typeof member === 'string'));
  return Object.fromEntries(
    entries.map(([key, member]) => [key, key === 'name' && member === '*' ? 'path' : tidy(member)]),
  );
}
