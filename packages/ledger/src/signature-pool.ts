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

interface Caller {
  readonly checks: readonly SignatureCheck[];
  resolve(verdicts: boolean[]): void;
  reject(reason: unknown): void;
}

const inline = fastestEd25519();

export function openSignaturePool(size: number): SignaturePool {
  const threads: Thread[] = [];
  let callers: Caller[] = [];
  const answerAll = async (): Promise<void> => {
    const now = callers;
    callers = [];
    try {
      const verdicts = await checkList(
        now.flatMap(({ checks }) => checks),
        () => idlest(threads, size),
      );
      let at = 0;
      for (const { checks, resolve } of now) {
        resolve(verdicts.slice(at, at + checks.length));
        at += checks.length;
      }
    } catch (error) {
      for (const { reject } of now) reject(error);
    }
  };
  return {
    check: (checks) =>
      new Promise((resolve, reject) => {
        if (callers.length === 0) setImmediate(() => void answerAll());
        callers.push({ checks, resolve, reject });
      }),
    async close() {
      await Promise.all(threads.map(({ worker }) => worker.terminate()));
    },
  };
}

/** One thread fewer than there are cores: the one that executes works too. */
const ofProcess = openSignaturePool(Math.max(1, Math.min(limits.ledgerSignatureThreads, availableParallelism() - 1)));

/** Checks on the threads of this process. */
export function checkSignatures(checks: readonly SignatureCheck[]): Promise<boolean[]> {
  return ofProcess.check(checks);
}

async function checkList(checks: readonly SignatureCheck[], thread: () => Thread): Promise<boolean[]> {
  if (checks.length <= limits.ledgerSignaturesInline) return verdictsOf(checkPacked(packChecks(checks), inline));
  const count = Math.ceil(checks.length / limits.ledgerSignatureBatch);
  const lists = Array.from({ length: count }, (_, index) =>
    onThread(checks.slice(index * limits.ledgerSignatureBatch, (index + 1) * limits.ledgerSignatureBatch), thread()),
  );
  return (await Promise.all(lists)).flat();
}

function verdictsOf(bytes: Uint8Array): boolean[] {
  return Array.from(bytes, (verdict) => verdict === 1);
}

let serial = 0;

async function onThread(checks: readonly SignatureCheck[], { worker, waiting }: Thread): Promise<boolean[]> {
  const packed = packChecks(checks);
  serial += 1;
  const id = serial;
  const verdicts = await new Promise<Uint8Array | Error>((resolve) => {
    waiting.set(id, resolve);
    worker.ref();
    worker.postMessage({ id, packed }, [packed.buffer]);
  });
  if (verdicts instanceof Error) throw verdicts;
  return verdictsOf(verdicts);
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
