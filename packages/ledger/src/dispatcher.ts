/**
 * Calls contract functions as fabric-shim's dispatcher does, by its own table of functions, without the work that only
 * functions with typed arguments need: for each argument of each call that one compiles a JSON schema and writes log
 * lines that nobody reads. Whatever is not a plain call of a known function goes to the dispatcher itself, and a test
 * holds the two against each other.
 */

import { createRequire } from 'node:module';
import type { Context, Contract } from 'fabric-contract-api';
import type { ChaincodeStub } from 'fabric-shim-api';
import { clientIdentityOf, openChaincode, type Chaincode, type ContractClass } from './fabric-runtime.ts';

const require = createRequire(import.meta.url);
const { getLogger, setLevel } = createRequire(require.resolve('fabric-shim'))('./lib/logger') as {
  getLogger(name: string): object;
  setLevel(level: string): void;
};

/** What a contract function gave, or why it did not. */
export type Answer = { readonly ok: true; readonly result: string } | { readonly ok: false; readonly message: string };

/** Calls `contract:fn` with `args`; `stub` carries the same call. */
export type Dispatch = (
  call: { readonly contract: string; readonly fn: string; readonly args: readonly string[] },
  stub: ChaincodeStub,
) => Promise<Answer>;

/** A contract with the hooks that the types keep to subclasses. */
interface Hooks {
  createContext(): Context & {
    setChaincodeStub(stub: ChaincodeStub): void;
    setClientIdentity(identity: unknown): void;
  };
  beforeTransaction(ctx: Context): Promise<void>;
  aroundTransaction(ctx: Context, fn: string, args: readonly string[]): Promise<unknown>;
  afterTransaction(ctx: Context, result: unknown): Promise<void>;
}

interface Route {
  readonly contract: Hooks;
  readonly logging: object;
  readonly fn: string;
  readonly parameters: number;
}

export function openDispatcher(classes: readonly ContractClass[]): Dispatch {
  const chaincode = openChaincode(classes);
  const routes = routesOf(chaincode);
  return async ({ contract, fn, args }, stub) => {
    const route = routes.get(`${contract}:${fn}`);
    if (route?.parameters !== args.length) return throughShim(chaincode, stub);
    try {
      return { ok: true, result: textOf(await run(route, args, stub)) };
    } catch (error) {
      return { ok: false, message: error instanceof Error ? error.message : String(error) };
    }
  };
}

/** The functions that take texts and whose result has no declared type. */
function routesOf(chaincode: Chaincode): Map<string, Route> {
  const routes = new Map<string, Route>();
  for (const [name, { transactions }] of Object.entries(chaincode.metadata.contracts)) {
    const implementation = chaincode.contractImplementations[name];
    if (!implementation) continue;
    const logging = { setLevel, getLogger: (part?: string) => getLogger(part ? `${name}:${part}` : name) };
    for (const { name: fn, parameters, returns } of transactions) {
      if (returns !== undefined || !parameters?.every(({ schema }) => schema.type === 'string')) continue;
      const contract = implementation.contractInstance as Contract & Hooks;
      routes.set(`${name}:${fn}`, { contract, logging, fn, parameters: parameters.length });
    }
  }
  return routes;
}

async function run({ contract, logging, fn }: Route, args: readonly string[], stub: ChaincodeStub): Promise<unknown> {
  const ctx = contract.createContext();
  ctx.setChaincodeStub(stub);
  ctx.setClientIdentity(clientIdentityOf(stub));
  Object.assign(ctx, { logging });
  // What travels as UTF-8 arrives well formed.
  const texts = args.map((arg) => arg.toWellFormed());
  await contract.beforeTransaction(ctx);
  const result = await contract.aroundTransaction(ctx, fn, texts);
  await contract.afterTransaction(ctx, result);
  return result;
}

function textOf(result: unknown): string {
  if (result === undefined || result === null) return '';
  if (typeof result === 'string') return result.toWellFormed();
  if (typeof result === 'boolean' || typeof result === 'number' || typeof result === 'bigint') return String(result);
  throw new Error('a contract function returns text');
}

async function throughShim(chaincode: Chaincode, stub: ChaincodeStub): Promise<Answer> {
  const response = await chaincode.Invoke(stub);
  if (response.status !== 200) return { ok: false, message: response.message ?? '' };
  return { ok: true, result: Buffer.from(response.payload ?? []).toString() };
}
