/** How many signatures a second all cores of this machine check together, with nothing else to do. */

import { generateKeyPairSync, sign } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { limits } from '@assay/core';
import { rawPublicKey } from './certificate.ts';
import { openSignaturePool, type SignaturePool } from './signature-pool.ts';

export interface SignatureBenchOptions {
  /** Signatures in all. */
  readonly checks: number;
  /** Milliseconds of a clock that only goes forward. */
  readonly nowMs: () => number;
}

/** Signatures a second on as many of the ledger's threads as there are cores, in the lists that they get from it. */
export async function benchSignatureChecks({ checks, nowMs }: SignatureBenchOptions): Promise<number> {
  const cores = availableParallelism();
  const pool = openSignaturePool(cores);
  const list = signedList(cores * 2 * limits.ledgerSignatureBatch);
  try {
    await checkAll(pool, list);
    const started = nowMs();
    let held = 0;
    while (held < checks) held += await checkAll(pool, list);
    return Math.round((held * 1000) / (nowMs() - started));
  } finally {
    await pool.close();
  }
}

async function checkAll(pool: SignaturePool, list: ReturnType<typeof signedList>): Promise<number> {
  const verdicts = await pool.check(list);
  if (verdicts.includes(false)) throw new Error('a signature that was made here does not hold');
  return verdicts.length;
}

/** As long as the proposals of most transactions. */
const message = 'x'.repeat(400);

function signedList(length: number) {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const signature = sign(null, Buffer.from(message), privateKey).toString('hex');
  const one = { publicKey: rawPublicKey(publicKey).toString('hex'), message, signature };
  return Array.from({ length }, () => one);
}
