/**
 * The gate in front of everything that the interpreter can call outside itself: allowed, refused, or sealed. Sealed
 * imports serve the interpreter's own start; once the job runs, a call of one ends the process.
 */

import { createHash } from 'node:crypto';

export type Callable = ((...args: unknown[]) => unknown) & { sig?: string; stub?: boolean };

/** What was reviewed of an interpreter's imports. */
export interface GatePolicy {
  /** SHA-256 over the sorted `module.name:kind` lines of the imports of each large module; an upgrade must be reviewed. */
  readonly importLists: ReadonlySet<string>;
  /** Imports that reach only the interpreter's own memory and its in-memory files. They stay as they are. */
  readonly allowed: ReadonlySet<string>;
  /** Imports that always answer "not there" in the manner of their kind: the job sees an ordinary error. */
  readonly refused: ReadonlyMap<string, number | null>;
  /** Imports that answer until the seal and are refused from then on. */
  readonly closing?: ReadonlyMap<string, number | null>;
}

/** Thrown through the interpreter when the job calls what is sealed. */
class SealBroken extends Error {
  override readonly name = 'SealBroken';
}

export interface Gate {
  /** From now on only allowed and refused imports answer, and no further module can be compiled. */
  seal(): void;
  /** From now on the interpreter's memory grows to `memoryBytes` at most. */
  bound(memoryBytes: number): void;
  /** The name of the sealed import that was called, or undefined. */
  broken(): string | undefined;
  /** The interpreter's memory, once it is loaded. */
  memory(): WebAssembly.Memory;
}

const pageBytes = 65_536;
/** Modules with fewer imports are the trampolines that an interpreter makes for itself at its start. */
const largeModuleImports = 17;

/**
 * Replaces the global `WebAssembly` entry points before the interpreter is loaded. `randomFill` provides all entropy;
 * `watch` may put its own in the place of an import before that is gated. Throws when the interpreter asks for imports
 * that were not reviewed.
 */
export function installGate(
  policy: GatePolicy,
  randomFill: (bytes: Uint8Array) => void,
  watch: (name: string, original: Callable) => Callable = (_name, original) => original,
): Gate {
  let memory: WebAssembly.Memory | undefined;
  const state: SealState = { sealed: false, broken: undefined };
  const randomGet: Callable = (at, length) => {
    if (memory) randomFill(new Uint8Array(memory.buffer, Number(at) >>> 0, Number(length) >>> 0));
    return 0;
  };
  randomGet.sig = 'ipp';
  const gateTable = (table: Record<string, Callable>) => {
    for (const [name, entry] of Object.entries(table)) {
      if (typeof entry === 'function') table[name] = gated(policy, state, name, watch(name, entry));
    }
    table['random_get'] = randomGet;
  };

  const compile = WebAssembly.compile;
  const instantiate = WebAssembly.instantiate;
  const gatedInstantiate = async (source: BufferSource | WebAssembly.Module, imports?: WebAssembly.Imports) => {
    if (state.sealed) throw new SealBroken('WebAssembly');
    const module = source instanceof WebAssembly.Module ? source : await compile(source);
    if (WebAssembly.Module.imports(module).length >= largeModuleImports) {
      checkImports(module, policy);
      // Libraries that are loaded later are linked against the same table.
      if (!memory) gateTable(imports?.['env'] as Record<string, Callable>);
    }
    const instance = await instantiate(module, imports);
    const exported = instance.exports['memory'];
    if (exported instanceof WebAssembly.Memory) memory ??= exported;
    return source instanceof WebAssembly.Module ? instance : { instance, module };
  };
  WebAssembly.instantiate = gatedInstantiate as typeof WebAssembly.instantiate;

  const loadedMemory = () => {
    if (!memory) throw new Error('the interpreter has no memory yet');
    return memory;
  };
  return {
    memory: loadedMemory,
    seal() {
      state.sealed = true;
      closeRoom();
    },
    bound: (memoryBytes) => boundMemory(loadedMemory(), Math.floor(memoryBytes / pageBytes)),
    broken: () => state.broken,
  };
}

interface SealState {
  sealed: boolean;
  /** The first sealed import that was called. */
  broken: string | undefined;
}

/** The import as the interpreter gets it. */
function gated(policy: GatePolicy, state: SealState, name: string, original: Callable): Callable {
  // A stub only forwards to the library of the interpreter's own that was loaded under its name.
  if (policy.allowed.has(name) || original.stub === true) return original;
  const answer = policy.refused.get(name);
  const late = policy.closing?.get(name);
  let replacement: Callable;
  if (answer !== undefined) replacement = () => answer;
  else if (late !== undefined) replacement = (...args) => (state.sealed ? late : original(...args));
  else {
    replacement = (...args) => {
      if (!state.sealed) return original(...args);
      state.broken ??= name;
      throw new SealBroken(name);
    };
  }
  if (original.sig !== undefined) replacement.sig = original.sig;
  return replacement;
}

/** The interpreter grows its memory through this object alone: it has no `memory.grow` that the job could reach. */
function boundMemory(memory: WebAssembly.Memory, mostPages: number): void {
  const grow = memory.grow.bind(memory);
  memory.grow = (pages) => {
    if (memory.buffer.byteLength / pageBytes + pages > mostPages) throw new RangeError('the memory is full');
    return grow(pages);
  };
}

/** The digest of a module's import list, as a policy pins it. */
function importDigest(module: WebAssembly.Module): string {
  const lines = WebAssembly.Module.imports(module).map((entry) => `${entry.module}.${entry.name}:${entry.kind}`);
  return createHash('sha256').update(lines.toSorted().join('\n')).digest('hex');
}

function checkImports(module: WebAssembly.Module, policy: GatePolicy): void {
  const digest = importDigest(module);
  if (!policy.importLists.has(digest)) throw new Error(`the interpreter's import list ${digest} was not reviewed`);
}

/** Takes away the globals that could reach beyond the interpreter, should a way back into JavaScript be found. */
export function closeRoom(): void {
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
