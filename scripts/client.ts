/**
 * Writes packages/client/src/generated/types.ts, types only, from docs/reference/openapi.json; `--check` compares
 * instead. Named schemas become exported types, each operation a member of `Operations` by `METHOD /path`.
 */

import { readFile } from 'node:fs/promises';
import { writeOrCheck } from './written.ts';

interface Schema {
  $ref?: string;
  type?: string;
  enum?: string[];
  anyOf?: Schema[];
  items?: Schema;
  properties?: Record<string, Schema>;
  patternProperties?: Record<string, Schema>;
  required?: string[];
  additionalProperties?: boolean | Schema;
  description?: string;
  format?: string;
}

interface Parameter {
  name: string;
  in: 'path' | 'query' | 'header';
  required?: boolean;
  schema: Schema;
}

interface Content {
  content?: Record<string, { schema?: Schema }>;
}

interface Operation {
  operationId: string;
  summary: string;
  parameters?: Parameter[];
  requestBody?: Content;
  responses: Record<string, Content>;
}

interface Document {
  components: { schemas: Record<string, Schema> };
  paths: Record<string, Record<string, Operation>>;
}

const key = (name: string) => (/^[A-Za-z_]\w*$/.test(name) ? name : `'${name}'`);

function typeOf(schema: Schema | undefined): string {
  if (!schema) return 'unknown';
  if (schema.$ref) return schema.$ref.slice(schema.$ref.lastIndexOf('/') + 1);
  if (schema.enum) return schema.enum.map((value) => `'${value}'`).join(' | ');
  if (schema.anyOf) return schema.anyOf.map(typeOf).join(' | ');
  if (schema.type === 'array') return `readonly ${wrap(typeOf(schema.items))}[]`;
  if (schema.type === 'object') return objectType(schema);
  if (schema.format === 'binary') return 'Blob';
  if (schema.type === 'integer' || schema.type === 'number') return 'number';
  if (schema.type === 'string' || schema.type === 'boolean' || schema.type === 'null') return schema.type;
  return 'unknown';
}

const wrap = (type: string) => (/ \| /.test(type) && !type.startsWith('{') ? `(${type})` : type);

function objectType(schema: Schema): string {
  const value = Object.values(schema.patternProperties ?? {})[0] ?? schema.additionalProperties;
  const members = Object.entries(schema.properties ?? {});
  if (members.length === 0) {
    return typeof value === 'object'
      ? `Readonly<Record<string, ${typeOf(value)}>>`
      : 'Readonly<Record<string, unknown>>';
  }
  const required = new Set(schema.required);
  const fields = members.map(([name, member]) => {
    const doc = member.description ? `/** ${member.description} */\n` : '';
    return `${doc}readonly ${key(name)}${required.has(name) ? '' : '?'}: ${typeOf(member)};`;
  });
  return `{\n${fields.join('\n')}\n}`;
}

function parameters(operation: Operation, place: Parameter['in']): string {
  const fields = (operation.parameters ?? [])
    .filter((parameter) => parameter.in === place)
    .map(
      (parameter) => `readonly ${key(parameter.name)}${parameter.required ? '' : '?'}: ${typeOf(parameter.schema)};`,
    );
  return fields.length > 0 ? `{ ${fields.join(' ')} }` : 'undefined';
}

/** The type of a body or answer: JSON as its schema, events and files as what the client makes of them. */
function contentType(content: Content | undefined): string {
  const [media, body] = Object.entries(content?.content ?? {})[0] ?? [];
  if (media === undefined) return 'undefined';
  if (media === 'application/json') return typeOf(body?.schema);
  if (media === 'text/event-stream') return 'AsyncIterable<Change>';
  if (media === 'multipart/form-data') return 'FormData';
  return media === 'text/plain' ? 'string' : 'ReadableStream<Uint8Array>';
}

function operationType(operation: Operation): string {
  const [, success] = Object.entries(operation.responses).find(([status]) => status.startsWith('2')) ?? [];
  const reply = Object.hasOwn(operation.responses, '204') ? 'undefined' : contentType(success);
  return `{
    readonly params: ${parameters(operation, 'path')};
    readonly query: ${parameters(operation, 'query')};
    readonly body: ${contentType(operation.requestBody)};
    readonly reply: ${reply};
  }`;
}

/** Indents by two spaces for each open brace. */
function indent(text: string): string {
  let depth = 0;
  const lines = text.split('\n').map((line) => {
    const trimmed = line.trim();
    if (trimmed.startsWith('}')) depth -= 1;
    const indented = trimmed === '' ? '' : '  '.repeat(depth) + trimmed;
    if (trimmed.endsWith('{')) depth += 1;
    return indented;
  });
  return lines.join('\n');
}

function render(document: Document): string {
  const types = Object.entries(document.components.schemas).map(([name, schema]) => {
    const doc = schema.description ? `/** ${schema.description} */\n` : '';
    return `${doc}export type ${name} = ${typeOf(schema)};`;
  });
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(
      ([method, operation]) =>
        `/** ${operation.summary} */\n'${method.toUpperCase()} ${path}': ${operationType(operation)};`,
    ),
  );
  return indent(`/** Generated from docs/reference/openapi.json by scripts/client.ts; do not edit. */

${types.join('\n\n')}

/** Every operation by method and path: what it takes and what it answers. */
export interface Operations {
${operations.join('\n')}
}
`);
}

const document = JSON.parse(await readFile('docs/reference/openapi.json', 'utf8')) as Document;
await writeOrCheck('packages/client/src/generated/types.ts', render(document));
