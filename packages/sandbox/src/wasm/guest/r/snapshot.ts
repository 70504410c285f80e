/**
 * R as it stood before its unit, kept as an image: the pages of its memory, and the libraries that its glue in
 * JavaScript had loaded. A restored R loads the same libraries in the same order, so that every function has the same
 * place in the table, and then gets the memory back over whatever that wrote.
 */

/* oxlint-disable no-underscore-dangle -- the names of R's own functions */

import { closeSync, openSync, readSync } from 'node:fs';
import type { Callable } from '../gate.ts';
import { cString, type Interpreter } from './interpreter.ts';

const pageBytes = 65_536;

/** A call of R's loader, with what it answered. */
type LoaderCall =
  /** `rooms` are where the library's data were put. */
  | { readonly name: '_dlopen_js'; readonly handle: number; readonly answer: number; readonly rooms: readonly number[] }
  | { readonly name: '_dlsym_js'; readonly handle: number; readonly answer: number; readonly symbol: string };

interface Header {
  readonly memoryBytes: number;
  readonly calls: readonly LoaderCall[];
  readonly pages: readonly number[];
  /** The name of the temporary folder that R made. */
  readonly folder: string;
}

/** The loader's imports, and the one that grows the memory. */
export type Loaders = Record<'_dlopen_js' | '_dlsym_js' | 'emscripten_resize_heap', Callable>;

/** The allocator that the glue calls by this name. */
const room = globalThis as unknown as { _calloc: (count: number, size: number) => number };

function allocatingAt<Result>(allocate: typeof room._calloc, work: () => Result): Result {
  const usual = room._calloc;
  room._calloc = allocate;
  try {
    return work();
  } finally {
    room._calloc = usual;
  }
}

export interface Recorder {
  /** The import, its calls recorded. */
  watch(name: string, original: Callable): Callable;
  /** The image of `r` as it stands, in parts. */
  image(r: Interpreter, folder: string): Uint8Array[];
}

/** Records what the loader does while R starts; `memoryOfR` answers once R is loaded. */
export function loaderRecorder(memoryOfR: () => WebAssembly.Memory): Recorder {
  const calls: LoaderCall[] = [];
  const record = (name: string, args: readonly unknown[], call: () => unknown) => {
    const [handle = 0, symbolAt = 0] = args.map(Number);
    if (name === '_dlsym_js') {
      const symbol = textAt(memoryOfR(), symbolAt);
      const answer = Number(call());
      if (answer !== 0) calls.push({ name, handle, answer, symbol });
      return answer;
    }
    const rooms: number[] = [];
    const allocate = room._calloc;
    const noted: typeof allocate = (count, size) => {
      const at = allocate(count, size);
      rooms.push(at);
      return at;
    };
    const answer = Number(allocatingAt(noted, call));
    if (answer !== 0) calls.push({ name: '_dlopen_js', handle, answer, rooms });
    return answer;
  };
  return {
    watch(name, original) {
      if (name !== '_dlopen_js' && name !== '_dlsym_js') return original;
      const watched: Callable = (...args) => record(name, args, () => original(...args));
      if (original.sig !== undefined) watched.sig = original.sig;
      return watched;
    },
    image(r, folder) {
      const memory = r.HEAPU8;
      const pages: number[] = [];
      for (let page = 0; page * pageBytes < memory.length; page += 1) {
        const words = new BigUint64Array(memory.buffer, page * pageBytes, pageBytes / 8);
        if (words.some((word) => word !== 0n)) pages.push(page);
      }
      const header: Header = { memoryBytes: memory.length, calls, pages, folder };
      const line = new TextEncoder().encode(JSON.stringify(header));
      const length = new Uint8Array(4);
      new DataView(length.buffer).setUint32(0, line.length);
      return [length, line, ...pages.map((page) => memory.subarray(page * pageBytes, (page + 1) * pageBytes))];
    },
  };
}

function textAt(memory: WebAssembly.Memory, at: number): string {
  const bytes = new Uint8Array(memory.buffer, at);
  return new TextDecoder().decode(bytes.slice(0, bytes.indexOf(0)));
}

interface Restored {
  /** The name of R's temporary folder. */
  readonly folder: string;
  /** Puts the image back over whatever ran since. */
  layImage(): void;
  /** There is nothing to put back any more. */
  close(): void;
}

/** Puts the image at `path` into a module that has only been loaded. */
export function restore(r: Interpreter, path: string, memory: WebAssembly.Memory, loaders: Loaders): Restored {
  const file = openSync(path, 'r');
  const length = new DataView(readAt(file, new Uint8Array(4), 0).buffer).getUint32(0);
  const header = JSON.parse(new TextDecoder().decode(readAt(file, new Uint8Array(length), 4))) as Header;
  const missing = (header.memoryBytes - memory.buffer.byteLength) / pageBytes;
  if (missing > 1) memory.grow(missing - 1);
  // The glue takes notice of the memory's new size only where it grows it itself.
  if (missing > 0) loaders.emscripten_resize_heap(header.memoryBytes);
  if (memory.buffer.byteLength !== header.memoryBytes) throw new Error('the memory has not the size of the image');
  const layImage = () => {
    clear(r.HEAPU8, new Set(header.pages));
    for (const [index, page] of header.pages.entries()) {
      const bytes = r.HEAPU8.subarray(page * pageBytes, (page + 1) * pageBytes);
      readAt(file, bytes, 4 + length + index * pageBytes);
    }
  };
  layImage();
  for (const call of header.calls)
    if (repeat(r, call, loaders) !== call.answer) throw new Error('a library lies elsewhere');
  layImage();
  return { folder: header.folder, layImage, close: () => closeSync(file) };
}

/** Fills `bytes` from there on in the file. */
function readAt<Bytes extends Uint8Array>(file: number, bytes: Bytes, from: number): Bytes {
  for (let at = 0; at < bytes.length;) {
    const count = readSync(file, bytes, at, bytes.length - at, from + at);
    if (count === 0) throw new Error('the image is cut short');
    at += count;
  }
  return bytes;
}

/** Makes every page zero that is not kept, and touches none that is already. */
function clear(memory: Uint8Array, kept: ReadonlySet<number>): void {
  const zeros = Buffer.alloc(pageBytes);
  for (let page = 0; page * pageBytes < memory.length; page += 1) {
    if (kept.has(page)) continue;
    const bytes = memory.subarray(page * pageBytes, (page + 1) * pageBytes);
    if (Buffer.compare(bytes, zeros) !== 0) bytes.fill(0);
  }
}

/** Loads again; what is written on the way is overwritten by the image. */
function repeat(r: Interpreter, call: LoaderCall, loaders: Loaders): number {
  if (call.name === '_dlsym_js') return Number(loaders._dlsym_js(call.handle, cString(r, call.symbol), r._malloc(8)));
  const rooms = [...call.rooms];
  return Number(
    allocatingAt(
      () => rooms.shift() ?? 0,
      () => loaders._dlopen_js(call.handle),
    ),
  );
}
