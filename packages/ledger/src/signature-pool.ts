/**
 * Checks signatures on threads of their own, so that the thread that executes contracts does not wait for them. Few are
 * checked at once: handing them over would cost more. The threads start when they are first needed and keep no process
 * alive.
 */

import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { Fault, limits } from '@assay/core';
import { fastestEd25519 } from './ed25519.ts';
import { checkPacked, packChecks, type SignatureCheck } from './signature-batch.ts';

export interface SignaturePool {
  /** Whether each signature holds, in order. Calls of one turn of the event loop are checked together. */
  check(checks: readonly SignatureCheck[]): Promise<boolean[]>;
  /** Ends the threads; what they have at hand fails. */
  close(): Promise<void>;
}

interface Thread {
  readonly worker: Worker;
  readonly waiting: Map<number, (verdicts: Uint8Array | Error) => void>;
}

/** A caller's share of what is checked together. */
interface Caller {
  readonly verdicts: boolean[];
  left: number;
  resolve(verdicts: boolean[]): void;
  reject(reason: unknown): void;
}

interface Asked {
  readonly check: SignatureCheck;
  readonly caller: Caller;
  /** Its place among the caller's. */
  readonly index: number;
}

const inline = fastestEd25519();

export function openSignaturePool(size: number): SignaturePool {
  const threads: Thread[] = [];
  let asked: Asked[] = [];
  const handOut = (): void => {
    const now = asked;
    asked = [];
    if (now.length <= limits.ledgerSignaturesInline) answer(now, checkPacked(packChecks(now.map(checkOf)), inline));
    // Each list is answered when it is done, so that its callers go on while the next one is checked.
    else for (const list of listsOf(now)) void checkList(list, idlest(threads, size));
  };
  return {
    check: (checks) =>
      new Promise((resolve, reject) => {
        if (checks.length === 0) resolve([]);
        if (checks.length > 0 && asked.length === 0) setImmediate(handOut);
        const caller: Caller = { verdicts: [], left: checks.length, resolve, reject };
        for (const [index, check] of checks.entries()) asked.push({ check, caller, index });
      }),
    async close() {
      await Promise.all(threads.map(({ worker }) => worker.terminate()));
    },
  };
}

const checkOf = ({ check }: Asked): SignatureCheck => check;

function listsOf(asked: readonly Asked[]): Asked[][] {
  const size = limits.ledgerSignatureBatch;
  return Array.from({ length: Math.ceil(asked.length / size) }, (_, index) =>
    asked.slice(index * size, (index + 1) * size),
  );
}

function answer(list: readonly Asked[], verdicts: Uint8Array): void {
  for (const [at, { caller, index }] of list.entries()) {
    caller.verdicts[index] = verdicts[at] === 1;
    caller.left -= 1;
    if (caller.left === 0) caller.resolve(caller.verdicts);
  }
}

async function checkList(list: readonly Asked[], thread: Thread): Promise<void> {
  const verdicts = await onThread(packChecks(list.map(checkOf)), thread);
  if (!(verdicts instanceof Error)) answer(list, verdicts);
  else for (const { caller } of list) caller.reject(verdicts);
}

/** One thread fewer than there are cores: the one that executes works too. */
const ofProcess = openSignaturePool(Math.max(1, Math.min(limits.ledgerSignatureThreads, availableParallelism() - 1)));

/** Checks on the threads of this process. */
export function checkSignatures(checks: readonly SignatureCheck[]): Promise<boolean[]> {
  return ofProcess.check(checks);
}

let serial = 0;

function onThread(packed: Uint8Array<ArrayBuffer>, { worker, waiting }: Thread): Promise<Uint8Array | Error> {
  serial += 1;
  const id = serial;
  return new Promise((resolve) => {
    waiting.set(id, resolve);
    worker.ref();
    worker.postMessage({ id, packed }, [packed.buffer]);
  });
}

function idlest(threads: Thread[], size: number): Thread {
  if (threads.length < size) startThread(threads);
  return threads.reduce((least, one) => (one.waiting.size < least.waiting.size ? one : least));
}

function startThread(threads: Thread[]): void {
  const worker = new Worker(new URL('./signature-thread.ts', import.meta.url));
  const waiting: Thread['waiting'] = new Map();
  const thread = { worker, waiting };
  const ended = (cause: unknown): void => {
    const at = threads.indexOf(thread);
    if (at >= 0) threads.splice(at, 1);
    const fault = new Fault('ledger.unavailable', 'a thread that checks signatures ended', { cause, retry: true });
    for (const settle of waiting.values()) settle(fault);
    waiting.clear();
  };
  worker.on('message', ({ id, verdicts }: { id: number; verdicts: Uint8Array }) => {
    waiting.get(id)?.(verdicts);
    waiting.delete(id);
    if (waiting.size === 0) worker.unref();
  });
  worker.on('error', ended);
  worker.on('exit', ended);
  worker.unref();
  threads.push(thread);
}
