/** A thread that checks signatures; see signature-pool.ts. */

import { parentPort } from 'node:worker_threads';
import { fastestEd25519 } from './ed25519.ts';
import { checkPacked } from './signature-batch.ts';

const check = fastestEd25519();

parentPort?.on('message', ({ id, packed }: { id: number; packed: Uint8Array }) => {
  const verdicts = checkPacked(packed, check);
  parentPort?.postMessage({ id, verdicts }, [verdicts.buffer]);
});
