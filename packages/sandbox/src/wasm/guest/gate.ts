/**
 * The gate in front of everything that the interpreter can call outside itself: allowed, refused, or sealed. Sealed
 * imports serve the interpreter's own start; once the job runs, a call of one ends the process.
 */

import { createHash } from 'node:crypto';
import { allowedImports, importListSha256, refusedImports } from './imports.ts';

type Callable = ((...args: unknown[]) => unknown) & { sig?: string };

/** Thrown through the interpreter when the job calls what is sealed. */
class SealBroken extends Error {
  override readonly name = 'SealBroken';
}

export interface Gate {
  /** From now on only allowed and refused imports answer, and no further module can be compiled. */
  seal(): void;
  /** The name of the sealed import that was called, or undefined. */
  broken(): string | undefined;
  /** The interpreter's memory, once it runs. */
  memory(): WebAssembly.Memory;
}

/**
 * Replaces the global `WebAssembly` entry points before the interpreter is loaded. `randomFill` provides all entropy.
 * Throws when the interpreter asks for imports that were not reviewed.
 */
export function installGate(randomFill: (bytes: Uint8Array) => void): Gate {
  let sealed = false;
  let broken: string | undefined;
  let memory: WebAssembly.Memory | undefined;

  const sealable = (name: string, original: Callable): Callable => {
    const guarded: Callable = (...args) => {
      if (sealed) {
        broken ??= name;
        throw new SealBroken(name);
      }
      return original(...args);
    };
    return guarded;
  };
  const gated = (name: string, original: Callable): Callable => {
    if (allowedImports.has(name)) return original;
    const answer = refusedImports.get(name);
    const replacement: Callable = answer === undefined ? sealable(name, original) : () => answer;
    if (original.sig !== undefined) replacement.sig = original.sig;
    return replacement;
  };

  const compile = WebAssembly.compile;
  const instantiate = WebAssembly.instantiate;
  const gatedInstantiate = async (source: BufferSource | WebAssembly.Module, imports?: WebAssembly.Imports) => {
    if (sealed) throw new SealBroken('WebAssembly');
    const module = source instanceof WebAssembly.Module ? source : await compile(source);
    if (WebAssembly.Module.imports(module).length > 16) {
      checkImports(module);
      const table = imports?.['env'] as Record<string, Callable>;
      for (const [name, entry] of Object.entries(table)) {
        if (typeof entry === 'function') table[name] = gated(name, entry);
      }
      table['random_get'] = Object.assign(
        (at: number, length: number) => {
          if (memory) randomFill(new Uint8Array(memory.buffer, at >>> 0, length >>> 0));
          return 0;
        },
        { sig: 'ipp' },
      ) as Callable;
    }
    const instance = await instantiate(module, imports);
    const exported = instance.exports['memory'];
    if (exported instanceof WebAssembly.Memory) memory ??= exported;
    return source instanceof WebAssembly.Module ? instance : { instance, module };
  };
  WebAssembly.instantiate = gatedInstantiate as typeof WebAssembly.instantiate;

  return {
    seal() {
      sealed = true;
      closeRoom();
    },
    broken: () => broken,
    memory() {
      if (!memory) throw new Error('the interpreter has no memory yet');
      return memory;
    },
  };
}

/** The digest of a module's import list, as `importListSha256` pins it. */
function importDigest(module: WebAssembly.Module): string {
  const lines = WebAssembly.Module.imports(module).map((entry) => `${entry.module}.${entry.name}:${entry.kind}`);
  return createHash('sha256').update(lines.toSorted().join('\n')).digest('hex');
}

function checkImports(module: WebAssembly.Module): void {
  const digest = importDigest(module);
  if (digest !== importListSha256) throw new Error(`the interpreter's import list ${digest} was not reviewed`);
}

/** Takes away the globals that could reach beyond the interpreter, should a way back into JavaScript be found. */
function closeRoom(): void {
  const room = globalThis as unknown as Record<string, unknown>;
  for (const name of Object.getOwnPropertyNames(room)) {
    if (/^(?:fetch|WebSocket|EventSource|Worker|navigator|require|Bun|Deno|caches|.*Storage|.*Channel)$/.test(name)) {
      Object.defineProperty(room, name, { value: undefined });
    }
  }
  const closed = Object.assign(Object.create(null), { exitCode: 0, versions: {}, env: {}, getuid: () => 65_534 });
  Object.defineProperty(room, 'process', { value: closed });
  Object.defineProperty(room, 'WebAssembly', { value: undefined });
}
