/** Checks what arrives: bodies are taken as they are, text in URLs is read as the numbers that the schema wants. */

import { AjvCompiler, type BuildCompilerFromPool } from '@fastify/ajv-compiler';

const build = AjvCompiler();

const exact = {
  removeAdditional: false,
  coerceTypes: false,
  useDefaults: false,
  allErrors: false,
  strict: false,
} as const;

/** What Fastify really hands to a compiler; the package's types tell only the schema. */
interface RoutePart {
  readonly schema: object;
  readonly httpPart?: string;
}
type Compile = (part: RoutePart) => ReturnType<ReturnType<BuildCompilerFromPool>>;

/** Two validators that share the named schemas. */
export const buildValidator: BuildCompilerFromPool = (externalSchemas) => {
  const strict = build(externalSchemas, { customOptions: exact }) as unknown as Compile;
  const reading = build(externalSchemas, { customOptions: { ...exact, coerceTypes: true } }) as unknown as Compile;
  const compile: Compile = (part) => (part.httpPart === 'body' ? strict(part) : reading(part));
  return compile as unknown as ReturnType<BuildCompilerFromPool>;
};
