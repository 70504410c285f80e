import { generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { platformMsp } from '@assay/contracts';
import { limits, type LedgerIdentity, type Submission, type TransactionRecord } from '@assay/core';
import { testDatabase, type TestDatabase } from '@assay/store/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { benchSignatureChecks } from './bench-signature-checks.ts';
import { benchSigned } from './bench-signed.ts';
import { txIdOf } from './block.ts';
import { commitEndorsed } from './commit-endorsed.setup.ts';
import { lockChain } from './commit.ts';
import { embeddedEngine, openEmbeddedLedger, type EmbeddedLedger } from './embedded-ledger.ts';
import { ledgerKeyFromSeed, type Signer } from './keys.ts';
import { signProposal, type SignedProposal } from './proposal.ts';
import { verifyLedger, verifyLedgerIn } from './verify-ledger.ts';

const key = ledgerKeyFromSeed(new Uint8Array(32).fill(9));
const channel = 'public-marketplace';
const nowMs = (): number => performance.now();
const nonce = (digit: string): string => digit.repeat(64);
const identity: LedgerIdentity = { mspId: platformMsp, name: 'client', roles: ['orchestrator'] };

let database: TestDatabase;
let ledger: EmbeddedLedger;
let serial = 0;
beforeAll(async () => {
  database = await testDatabase();
  ledger = await openEmbeddedLedger({ db: database.db, key });
});
afterAll(() => database.drop());

const result = (): Submission => {
  serial += 1;
  const id = String(serial).padStart(32, '0');
  return {
    contract: 'Reputation',
    fn: 'recordResult',
    args: [`wrk_${id}`, 'true', JSON.stringify({ job: `job_${id}`, replicas: 1 })],
    idempotencyKey: `signed ${serial}`,
  };
};

/** Someone whose private key the ledger never sees. */
function client(as: LedgerIdentity = identity, from = key): Signer & { readonly privateKey: KeyObject } {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const signText = (text: string): string => sign(null, Buffer.from(text), privateKey).toString('hex');
  return { ...from.enrol(as, publicKey), sign: signText, privateKey };
}

describe('a proposal that a client signed', () => {
  test('is committed with its signature, which verifies from genesis', async () => {
    const alice = client();
    const proposals = Array.from({ length: 40 }, () => signProposal(channel, result(), alice));
    const outcomes = await ledger.submitSigned(proposals);
    expect(new Set(outcomes.map((outcome) => outcome.kind))).toEqual(new Set(['committed']));
    const [first] = outcomes;
    const { transaction } = await ledger.prove((first as { txId: Parameters<typeof ledger.prove>[0] }).txId);
    const record = JSON.parse(transaction) as TransactionRecord;
    expect(record.signature).toBe(proposals[0]?.signature);
    expect(record.creator).toEqual({ mspId: platformMsp, certificate: alice.fingerprint });
    expect(await ledger.submitSigned(proposals.slice(0, 3))).toEqual(outcomes.slice(0, 3));
    expect((await verifyLedger(database.db, { execute: true })).problems).toEqual([]);
  });

  test('has the roles of its certificate and of no other organisation', async () => {
    const auditor = client({ ...identity, roles: ['auditor'] });
    const stranger = client({ ...identity, mspId: 'WorkerMSP' });
    for (const signer of [auditor, stranger]) {
      expect(await ledger.submitSigned([signProposal(channel, result(), signer)])).toMatchObject([
        { kind: 'refused', code: 'auth.forbidden' },
      ]);
    }
  });

  test.each<[string, (proposal: SignedProposal) => SignedProposal, string]>([
    [
      'another argument',
      (one) => ({ ...one, submission: { ...one.submission, args: result().args } }),
      'bad_signature',
    ],
    [
      'another function',
      (one) => ({ ...one, submission: { ...one.submission, fn: 'getReputation' } }),
      'bad_signature',
    ],
    ['another key', (one) => ({ ...one, submission: { ...one.submission, idempotencyKey: 'x' } }), 'bad_signature'],
    ['another nonce', (one) => ({ ...one, nonce: nonce('a') }), 'bad_signature'],
    ['another signature', (one) => ({ ...one, signature: one.signature.replace(/^../, '00') }), 'bad_signature'],
    ['no signature', (one) => ({ ...one, signature: '' }), 'bad_signature'],
    ['another client’s certificate', (one) => ({ ...one, certificate: client().certificate }), 'bad_signature'],
    ['an authority’s certificate', (one) => ({ ...one, certificate: key.authority(platformMsp) }), 'forbidden'],
    ['no certificate', (one) => ({ ...one, certificate: 'x' }), 'forbidden'],
    ['a certificate with a line more', (one) => ({ ...one, certificate: `${one.certificate}\n` }), 'forbidden'],
  ])('with %s is refused and leaves nothing behind', async (_, change, code) => {
    const sound = signProposal(channel, result(), client());
    const before = await ledger.head();
    const outcomes = await ledger.submitSigned([change(sound)]);
    expect(outcomes).toMatchObject([{ kind: 'refused', code: `auth.${code}` }]);
    expect(await ledger.head()).toEqual(before);
    expect(await ledger.submitSigned([sound])).toMatchObject([{ kind: 'committed' }]);
  });

  test('is refused for itself alone, in a call of many as well', async () => {
    const alice = client();
    const many = Array.from({ length: 3 * limits.ledgerSignaturesInline }, () =>
      signProposal(channel, result(), alice),
    );
    const forged = many.map((one, index) => (index % 5 === 2 ? { ...one, signature: nonce('0').repeat(2) } : one));
    const outcomes = await ledger.submitSigned(forged);
    expect(outcomes.map(({ kind }) => kind)).toEqual(
      many.map((_, index) => (index % 5 === 2 ? 'refused' : 'committed')),
    );
  });

  test('of another ledger’s authority or for another channel is nobody’s', async () => {
    const other = client(identity, ledgerKeyFromSeed(new Uint8Array(32).fill(10)));
    expect(await ledger.submitSigned([signProposal(channel, result(), other)])).toMatchObject([
      { code: 'auth.forbidden' },
    ]);
    expect(await ledger.submitSigned([signProposal('private-science', result(), client())])).toMatchObject([
      { code: 'auth.bad_signature' },
    ]);
  });

  test('commits once: a nonce serves one transaction', async () => {
    const alice = client();
    const [one, two, three] = [result(), result(), result()].map((submission, index) =>
      signProposal(channel, submission, alice, nonce(index === 2 ? 'c' : 'b')),
    );
    expect(await ledger.submitSigned([one!, two!])).toMatchObject([
      { kind: 'committed' },
      { kind: 'refused', code: 'ledger.refused' },
    ]);
    expect(await ledger.submitSigned([two!, three!])).toMatchObject([
      { kind: 'refused', code: 'ledger.refused' },
      { kind: 'committed' },
    ]);
  });
});

/** Makes a block that the ledger's key signs, of a transaction that nobody vouched for, and verifies. */
async function problemsAfter(change: (signature: string) => string, signer: Signer = client()) {
  const engine = embeddedEngine({ key });
  const undo = new Error('undo');
  let problems: unknown;
  await database.db
    .transaction(async (tx) => {
      const { submission, nonce: used, signature } = signProposal(channel, result(), signer);
      const set = { reads: [], ranges: [], writes: [], event: null };
      const one = { submission, member: signer, nonce: used, txId: txIdOf(used, signer), atMs: 5, result: '', set };
      await commitEndorsed(engine, tx, await lockChain(engine, tx), [{ ...one, signature: change(signature) }]);
      ({ problems } = await verifyLedgerIn(tx));
      throw undo;
    })
    .catch((error: unknown) => {
      if (error !== undo) throw error;
    });
  return problems;
}

test('the benchmarks commit and check what they count', async () => {
  const measured = await benchSigned({
    ledger,
    key,
    channel,
    submissions: 120,
    signers: 3,
    batch: 7,
    callers: 4,
    nowMs,
  });
  expect(measured.committed).toBe(120);
  expect(measured.perSecond).toBeGreaterThan(0);
  expect(await benchSignatureChecks({ checks: 500, nowMs })).toBeGreaterThan(0);
});

describe('a transaction that its creator did not sign', () => {
  test('is found by name, though whoever holds the ledger’s key made the block', async () => {
    const named = [{ table: 'ledger_tx', what: 'transaction 0 is not signed by its creator' }];
    expect(await problemsAfter((signature) => signature)).toEqual([]);
    expect(
      await problemsAfter((signature) => signature.replace(/.$/, (end) => (end === '0' ? '1' : '0'))),
    ).toMatchObject(named);
    expect(await problemsAfter(() => '')).toMatchObject(named);
    expect(await problemsAfter(() => nonce('0').repeat(2))).toMatchObject(named);
  });

  test('or by someone whom no authority of block 0 knows', async () => {
    const other = client(identity, ledgerKeyFromSeed(new Uint8Array(32).fill(10)));
    expect(await problemsAfter((signature) => signature, other)).toMatchObject([
      { table: 'ledger_tx', what: expect.stringContaining('without a certificate of an authority') },
    ]);
  });
});
