/** The embedded ledger beside what bounds it: how many signatures this machine can check. */

import { generateKeyPairSync, sign, verify } from 'node:crypto';
import {
  benchLeaves,
  benchSigned,
  benchSignatureChecks,
  ledgerKeyFromSeed,
  openEmbeddedLedger,
  verifyLedger,
} from '@assay/ledger';
import type { Database } from '@assay/store';

/** One line of the report. */
export interface Row {
  readonly name: string;
  /** The runs' rates per second. */
  readonly rates: readonly number[];
}

type NowMs = () => number;

/** The wall before any ledger with a signature for each transaction: what OpenSSL checks on one core, and we on all. */
export async function signatureRows(runs: number, nowMs: NowMs): Promise<Row[]> {
  const message = new Uint8Array(400);
  const ed25519 = generateKeyPairSync('ed25519');
  const p256 = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const [edSignature, ecSignature] = [
    sign(null, message, ed25519.privateKey),
    sign('sha256', message, p256.privateKey),
  ];
  const rate = (once: () => unknown): number[] =>
    Array.from({ length: runs }, () => {
      const started = nowMs();
      let count = 0;
      for (; nowMs() - started < 500; count += 1) once();
      return Math.round((count * 1000) / (nowMs() - started));
    });
  const all: number[] = [];
  for (let run = 0; run < runs; run += 1) all.push(await benchSignatureChecks({ checks: 20_000, nowMs }));
  return [
    {
      name: 'ed25519 signatures checked, OpenSSL, one thread',
      rates: rate(() => verify(null, message, ed25519.publicKey, edSignature)),
    },
    {
      name: 'P-256 signatures checked, OpenSSL, one thread',
      rates: rate(() => verify('sha256', message, p256.publicKey, ecSignature)),
    },
    { name: 'ed25519 signatures checked, as the ledger does, all cores', rates: all },
  ];
}

const key = ledgerKeyFromSeed(new Uint8Array(32));
const submissions = 15_000;

/** Every row is measured `runs` times, and counts only if everything was committed and the chain verifies from block 0. */
export async function embeddedRows(db: Database, runs: number, nowMs: NowMs): Promise<Row[]> {
  const ledger = await openEmbeddedLedger({ db, key });
  const shared = { ledger, key, channel: 'public-marketplace', signers: 64, nowMs };
  const rows: Row[] = [];
  for (const [name, batch, callers] of [
    ['one a call, 2,000 calls at once', 1, 2000],
    ['500 a call, 6 calls at once', 500, 6],
  ] as const) {
    const rates: number[] = [];
    // The first run compiles the code and fills the database's memory.
    for (let run = 0; run <= runs; run += 1) {
      const measured = await benchSigned({ ...shared, submissions, batch, callers });
      if (measured.committed !== submissions) throw new Error(`${measured.committed} of ${submissions} were committed`);
      if (run > 0) rates.push(measured.perSecond);
    }
    rows.push({ name: `embedded, each signed by its client, ${name}`, rates });
  }
  const batched: number[] = [];
  for (let run = 0; run <= runs; run += 1) {
    const measured = await benchLeaves({ ...shared, batches: 200, leaves: 1000, callers: 40 });
    if (measured.committed !== 200_000) throw new Error(`${measured.committed} of 200,000 facts were committed`);
    if (run > 0) batched.push(measured.perSecond);
  }
  rows.push({ name: 'embedded, batched facts, 1,000 a signed transaction', rates: batched });
  const started = nowMs();
  const report = await verifyLedger(db);
  if (!report.ok) throw new Error(`the chain does not verify: ${report.problems[0]?.what ?? ''}`);
  const perSecond = Math.round((report.transactions * 1000) / (nowMs() - started));
  return [...rows, { name: 'embedded, transactions verified from block 0', rates: [perSecond] }];
}
