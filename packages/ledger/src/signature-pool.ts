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

interface Thread {
  readonly worker: Worker;
  readonly waiting: Map<number, (verdicts: Uint8Array | Error) => void>;
}

const inline = fastestEd25519();
const threads: Thread[] = [];
let serial = 0;

/** Whether each signature holds, in order. */
export async function checkSignatures(checks: readonly SignatureCheck[]): Promise<boolean[]> {
  if (checks.length <= limits.ledgerSignaturesInline) return verdictsOf(checkPacked(packChecks(checks), inline));
  const lists = Array.from({ length: Math.ceil(checks.length / limits.ledgerSignatureBatch) }, (_, index) =>
    checks.slice(index * limits.ledgerSignatureBatch, (index + 1) * limits.ledgerSignatureBatch),
  );
  return (await Promise.all(lists.map(onThread))).flat();
}

function verdictsOf(bytes: Uint8Array): boolean[] {
  return Array.from(bytes, (verdict) => verdict === 1);
}

/** One thread fewer than there are cores: this one works too. */
const threadCount = Math.max(1, Math.min(limits.ledgerSignatureThreads, availableParallelism() - 1));

async function onThread(checks: readonly SignatureCheck[]): Promise<boolean[]> {
  const packed = packChecks(checks);
  const thread = idlest();
  serial += 1;
  const id = serial;
  const verdicts = await new Promise<Uint8Array | Error>((resolve) => {
    thread.waiting.set(id, resolve);
    thread.worker.ref();
    thread.worker.postMessage({ id, packed }, [packed.buffer]);
  });
  if (verdicts instanceof Error) throw verdicts;
  return verdictsOf(verdicts);
}

function idlest(): Thread {
  if (threads.length < threadCount) threads.push(startThread());
  return threads.reduce((least, one) => (one.waiting.size < least.waiting.size ? one : least));
}

function startThread(): Thread {
  const worker = new Worker(new URL('./signature-thread.ts', import.meta.url));
  const waiting: Thread['waiting'] = new Map();
  const thread = { worker, waiting };
  const lost = (error: Error): void => {
    const at = threads.indexOf(thread);
    if (at >= 0) threads.splice(at, 1);
    for (const settle of waiting.values()) settle(error);
    waiting.clear();
  };
  worker.on('message', ({ id, verdicts }: { id: number; verdicts: Uint8Array }) => {
    waiting.get(id)?.(verdicts);
    waiting.delete(id);
    if (waiting.size === 0) worker.unref();
  });
  const ended = (cause: unknown): void =>
    lost(new Fault('ledger.unavailable', 'a thread that checks signatures ended', { cause, retry: true }));
  worker.on('error', ended);
  worker.on('exit', ended);
  worker.unref();
  return thread;
}
