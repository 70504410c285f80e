/** What every ledger engine does, whatever orders its blocks. */

import { createHash, createPublicKey, verify } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Refusal } from '../errors.ts';
import { canonicalJson, fromHex, hashOf, utf8, type CanonicalValue } from '../hash.ts';
import { verifyMerkleConsistency } from '../merkle-consistency.ts';
import { verifyMerklePath } from '../merkle.ts';
import {
  headMessage,
  type Ledger,
  type LedgerIdentity,
  type SignedHead,
  type Submission,
  type SubmissionOutcome,
} from './ledger.ts';

/** A ledger with nothing on it but perhaps its first block. */
export interface LedgerHarness {
  readonly ledger: Ledger;
  close(): Promise<void>;
}

const sha256 = (bytes: Uint8Array): Uint8Array => createHash('sha256').update(bytes).digest();
const platform: LedgerIdentity = { mspId: 'PlatformMSP', name: 'orchestrator', roles: ['orchestrator'] };
const arbiter: LedgerIdentity = { mspId: 'PlatformMSP', name: 'judge', roles: ['arbiter'] };
const reader: LedgerIdentity = { mspId: 'PlatformMSP', name: 'auditor', roles: ['auditor'] };
const hash = (letter: string): string => letter.repeat(64);

let serial = 0;
const fresh = (prefix: string): string => `${prefix}_${String((serial += 1)).padStart(32, '0')}`;
const newJob = (): string => fresh('job');
const newWorker = (): string => fresh('wrk');

function call(contract: Submission['contract'], fn: string, ...args: readonly string[]): Submission {
  return { contract, fn, args, idempotencyKey: fresh('key') };
}

function listing(job: string, changes: Readonly<Record<string, unknown>> = {}): Submission {
  const details = {
    manifestHash: hash('a'),
    bundleDigest: hash('b'),
    termsHash: hash('7'),
    requirementsHash: null,
    region: 'eu',
    runner: 'platform-runner:python-3.13',
    verification: 'metric',
    redundancy: 3,
    units: 11,
    storage: 'objects.eu',
    ...changes,
  };
  return call('Marketplace', 'listContract', job, JSON.stringify(details));
}

/** A job's whole way to VERIFIED with its timer running. */
function verified(job: string, deadlineMs: number): Submission[] {
  return [
    listing(job),
    call('Contract', 'activateContract', job),
    call('Contract', 'submitWork', job, hash('c'), hash('d')),
    call('Contract', 'verifyWork', job),
    call('EscrowTrigger', 'startChallengeTimer', job, '0', String(deadlineMs)),
  ];
}

/** Both organisations let windows be of any length, so that a test need not wait a day. */
async function withoutWindow(ledger: Ledger): Promise<void> {
  for (const mspId of ['PlatformMSP', 'WorkerMSP']) {
    const vote = call('EscrowTrigger', 'voteOnChallengeWindow', '0', '7776000000', '2');
    committed((await ledger.submit([vote], { mspId, name: 'governor', roles: ['governor'] }))[0]);
  }
}

const kinds = (outcomes: readonly SubmissionOutcome[]): string[] => outcomes.map((outcome) => outcome.kind);

function committed(outcome: SubmissionOutcome | undefined) {
  if (outcome?.kind !== 'committed') throw new Error(`not committed: ${JSON.stringify(outcome)}`);
  return outcome;
}

async function refusalCode(promise: Promise<unknown>): Promise<string> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  return error instanceof Refusal ? error.code : String(error);
}

/** Runs the suite on the engine that `open` starts. */
export function ledgerConformance(name: string, open: () => Promise<LedgerHarness>): void {
  describe(`${name} is a ledger`, () => {
    let harness: LedgerHarness;
    let ledger: Ledger;
    beforeAll(async () => {
      harness = await open();
      ledger = harness.ledger;
      await withoutWindow(ledger);
    }, 120_000);
    afterAll(() => harness.close());

    const stateOf = async (job: string): Promise<string> => {
      const record: { state: string } = JSON.parse(await ledger.evaluate('Contract', 'getContract', [job], reader));
      return record.state;
    };

    outcomeTests(() => ledger, stateOf);
    repetitionTests(() => ledger);
    factTests(() => ledger);
    proofTests(() => ledger);
  });
}

function outcomeTests(ledgerNow: () => Ledger, stateOf: (job: string) => Promise<string>): void {
  test('takes a job from its listing to the payout in one call, in order', async () => {
    const ledger = ledgerNow();
    const job = newJob();
    const before = await ledger.head();
    const outcomes = await ledger.submit(
      [
        ...verified(job, 0),
        call('EscrowTrigger', 'triggerPayout', job),
        call('Contract', 'completeContract', job),
        call(
          'Reputation',
          'recordResults',
          job,
          '0',
          `[{"worker":"${newWorker()}","agreed":3,"disagreed":0,"lost":1}]`,
        ),
      ],
      platform,
    );
    expect(kinds(outcomes)).toEqual(Array(8).fill('committed'));
    const blocks = outcomes.map((outcome) => committed(outcome).block);
    expect(blocks).toEqual(blocks.toSorted((a, b) => Number(a - b)));
    expect(new Set(outcomes.map((outcome) => committed(outcome).txId)).size).toBe(8);
    expect((await ledger.head()).block).toBeGreaterThan(before.block);
    expect(await stateOf(job)).toBe('COMPLETED');
    expect(JSON.parse(await ledger.evaluate('EscrowTrigger', 'getEscrowStatus', [job], reader))).toEqual({
      v: 2,
      job,
      status: 'PAYOUT_TRIGGERED',
      startedAtMs: 0,
      deadlineMs: expect.any(Number) as number,
      leastMs: 0,
    });
  });

  test('refuses what the contract refuses, with its code, and leaves nothing behind', async () => {
    const ledger = ledgerNow();
    const job = newJob();
    const { block } = await ledger.head();
    const lateMs = 253_402_300_799_999;
    expect(await ledger.submit([call('Contract', 'verifyWork', job)], platform)).toMatchObject([
      { kind: 'refused', code: 'job.not_found' },
    ]);
    expect((await ledger.head()).block).toBe(block);
    const early = verified(job, 1000).with(
      4,
      call('EscrowTrigger', 'startChallengeTimer', job, String(lateMs - 1), String(lateMs)),
    );
    const outcomes = await ledger.submit([...early, call('EscrowTrigger', 'triggerPayout', job)], platform);
    expect(kinds(outcomes)).toEqual([...Array(5).fill('committed'), 'refused']);
    expect(outcomes[5]).toMatchObject({ code: 'escrow.window_open' });
    expect(await ledger.submit([call('Contract', 'completeContract', job)], platform)).toMatchObject([
      { kind: 'refused', code: 'escrow.wrong_state' },
    ]);
    expect(await stateOf(job)).toBe('VERIFIED');
  });

  test('refuses unknown functions, contracts and counts of arguments', async () => {
    const ledger = ledgerNow();
    const odd = {
      contract: 'Nothing',
      fn: 'getContract',
      args: [],
      idempotencyKey: fresh('key'),
    } as unknown as Submission;
    const outcomes = await ledger.submit(
      [
        call('Contract', 'explode', newJob()),
        odd,
        call('Contract', 'verifyWork'),
        call('Contract', 'verifyWork', 'a', 'b'),
      ],
      platform,
    );
    for (const outcome of outcomes) expect(outcome).toMatchObject({ kind: 'refused', code: 'ledger.unknown_function' });
    expect(await refusalCode(ledger.evaluate('Contract', 'explode', [], reader))).toBe('ledger.unknown_function');
    expect(await refusalCode(ledger.evaluate('Contract', 'getContract', [newJob()], reader))).toBe('job.not_found');
  });

  test('goes by the role in the certificate and by who issued it', async () => {
    const ledger = ledgerNow();
    const job = newJob();
    const worker = newWorker();
    const stranger = { ...platform, mspId: 'WorkerMSP' };
    const device = { mspId: 'WorkerMSP', name: worker, roles: ['worker'] };
    const forbidden = { kind: 'refused', code: 'auth.forbidden' };
    expect(await ledger.submit([listing(job)], reader)).toMatchObject([forbidden]);
    expect(await ledger.submit([listing(job)], stranger)).toMatchObject([forbidden]);
    await ledger.submit([listing(job), call('Contract', 'activateContract', job)], platform);
    expect(
      await ledger.submit(
        [call('Marketplace', 'claimContract', newWorker(), job), call('Marketplace', 'claimContract', worker, job)],
        device,
      ),
    ).toMatchObject([forbidden, { kind: 'committed' }]);
    expect(await refusalCode(ledger.evaluate('Contract', 'getContract', [job], { ...reader, roles: [] }))).toBe(
      'auth.forbidden',
    );
  });

  test('lets concurrent writers of one key succeed or conflict, and counts each success once', async () => {
    const ledger = ledgerNow();
    const worker = newWorker();
    const record = (): Submission =>
      call('Reputation', 'recordResult', worker, 'true', JSON.stringify({ job: newJob(), replicas: 1 }));
    const outcomes = (await Promise.all(Array.from({ length: 12 }, () => ledger.submit([record()], platform)))).flat();
    const successes = outcomes.filter((outcome) => outcome.kind === 'committed').length;
    expect(successes).toBeGreaterThan(0);
    expect(outcomes.filter((outcome) => outcome.kind === 'conflict').length).toBe(12 - successes);
    const reputation: { agreed: number } = JSON.parse(
      await ledger.evaluate('Reputation', 'getReputation', [worker], reader),
    );
    expect(reputation.agreed).toBe(successes);
  });
}

function repetitionTests(ledgerNow: () => Ledger): void {
  test('commits a key once, however often it is sent', async () => {
    const ledger = ledgerNow();
    const submission = listing(newJob());
    const [first, again] = await ledger.submit([submission, submission], platform);
    expect(again).toEqual(first);
    expect(await ledger.submit([submission], platform)).toEqual([first]);
    expect(await Promise.all([1, 2, 3].map(() => ledger.submit([submission], platform)))).toEqual([
      [first],
      [first],
      [first],
    ]);
  });

  test('refuses a key that committed something else', async () => {
    const ledger = ledgerNow();
    const submission = listing(newJob());
    const other = { ...listing(newJob()), idempotencyKey: submission.idempotencyKey };
    const reused = { kind: 'refused', code: 'idempotency.key_reused' };
    expect(await ledger.submit([submission, other], platform)).toMatchObject([{ kind: 'committed' }, reused]);
    expect(await ledger.submit([other], platform)).toMatchObject([reused]);
  });

  test('gives each twin of a key in one call the outcome of the first sound one', async () => {
    const ledger = ledgerNow();
    const submission = listing(newJob());
    const odd = { ...submission, contract: 'Nothing' } as unknown as Submission;
    const outcomes = await ledger.submit([odd, submission, odd, submission], platform);
    expect(outcomes[0]).toMatchObject({ kind: 'refused', code: 'ledger.unknown_function' });
    expect(outcomes[1]).toMatchObject({ kind: 'committed' });
    expect(outcomes[2]).toEqual(outcomes[0]);
    expect(outcomes[3]).toEqual(outcomes[1]);
  });

  test('lets a refused key try again', async () => {
    const ledger = ledgerNow();
    const job = newJob();
    const activate = call('Contract', 'activateContract', job);
    expect(kinds(await ledger.submit([activate], platform))).toEqual(['refused']);
    expect(kinds(await ledger.submit([listing(job), activate], platform))).toEqual(['committed', 'committed']);
  });

  test('takes an empty call', async () => {
    expect(await ledgerNow().submit([], platform)).toEqual([]);
  });
}

function factTests(ledgerNow: () => Ledger): void {
  test('tells facts in order, without gaps, several of one transaction included', async () => {
    const ledger = ledgerNow();
    const job = newJob();
    await ledger.submit([...verified(job, 0), call('Contract', 'disputeContract', job, hash('e'))], platform);
    const [ruling] = await ledger.submit([call('Contract', 'resolveDispute', job, 'REFUNDED', hash('f'))], arbiter);
    const facts = await ledger.facts(1n, 10_000);
    expect(facts.map((fact) => fact.position)).toEqual(facts.map((_, index) => BigInt(index + 1)));
    const own = facts.filter((fact) => (JSON.parse(fact.payload) as { job?: string }).job === job);
    expect(own.map((fact) => fact.name)).toEqual([
      'ContractListed',
      'ContractFunded',
      'WorkSubmitted',
      'ContractVerified',
      'ChallengeTimerStarted',
      'ContractDisputed',
      'RefundTriggered',
      'ContractRefunded',
    ]);
    for (const fact of own) expect(canonicalJson(JSON.parse(fact.payload) as CanonicalValue)).toBe(fact.payload);
    expect(own.slice(6).map((fact) => fact.txId)).toEqual([committed(ruling).txId, committed(ruling).txId]);
    const order = facts.map((fact) => Number(fact.block) * 10_000 + fact.txIndex);
    expect(order).toEqual(order.toSorted((a, b) => a - b));
    expect(await ledger.facts(own[1]!.position, 1)).toEqual([own[1]]);
    expect(await ledger.facts(BigInt(facts.length + 1), 10)).toEqual([]);
  });

  test('reads ranges: open contracts by page and by filter', async () => {
    const ledger = ledgerNow();
    const jobs = [newJob(), newJob(), newJob()];
    const open = (filters: object): Promise<string> =>
      ledger.evaluate('Marketplace', 'getAvailableContracts', [JSON.stringify({ region: 'cn', ...filters })], reader);
    expect(JSON.parse(await open({}))).toEqual({ items: [], next: null });
    await ledger.submit(
      jobs.flatMap((job, index) => [
        listing(job, { region: 'cn', runner: index === 1 ? 'other' : 'usual' }),
        call('Contract', 'activateContract', job),
      ]),
      platform,
    );
    const page = async (filters: object) => {
      const { items, next }: { items: { id: string }[]; next: string | null } = JSON.parse(await open(filters));
      return { ids: items.map((item) => item.id), next };
    };
    expect(await page({})).toEqual({ ids: jobs, next: null });
    expect(await page({ runner: 'other' })).toEqual({ ids: [jobs[1]], next: null });
    expect(await page({ verification: 'tee' })).toEqual({ ids: [], next: null });
    const first = await page({ limit: 2 });
    expect(first).toEqual({ ids: jobs.slice(0, 2), next: `cn/${jobs[1]}` });
    expect(await page({ limit: 2, after: first.next })).toEqual({ ids: jobs.slice(2), next: null });
  });

  test('evaluates without writing', async () => {
    const ledger = ledgerNow();
    const job = newJob();
    const { args } = listing(job);
    const { block } = await ledger.head();
    await ledger.evaluate('Marketplace', 'listContract', args, platform);
    expect(await refusalCode(ledger.evaluate('Contract', 'getContract', [job], reader))).toBe('job.not_found');
    expect((await ledger.head()).block).toBe(block);
  });
}

function isSigned(head: SignedHead): boolean {
  const der = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), fromHex(head.publicKey)]);
  const key = createPublicKey({ key: der, format: 'der', type: 'spki' });
  return verify(null, utf8(headMessage(head)), key, fromHex(head.signature));
}

function proofTests(ledgerNow: () => Ledger): void {
  test('proves every transaction under a signed head', async () => {
    const ledger = ledgerNow();
    const outcomes = await ledger.submit(
      Array.from({ length: 5 }, () => listing(newJob())),
      platform,
    );
    for (const outcome of outcomes) {
      const { txId, block } = committed(outcome);
      const proof = await ledger.prove(txId);
      const header = JSON.parse(proof.header) as { block: number; txRoot: string; txCount: number };
      const { transaction, txIndex, txCount, txPath, chainPath, head } = proof;
      expect(JSON.parse(transaction)).toMatchObject({ txId, code: 0 });
      expect(header).toMatchObject({ block: Number(block), txCount });
      const leaf = utf8(transaction);
      expect(verifyMerklePath(sha256, { leaf, index: txIndex, size: txCount, path: txPath, root: header.txRoot })).toBe(
        true,
      );
      const blockHash = hashOf(sha256, 'block', header);
      const size = Number(head.block) + 1;
      const claim = { leaf: fromHex(blockHash), index: header.block, size, path: chainPath, root: head.chainRoot };
      expect(verifyMerklePath(sha256, claim)).toBe(true);
      expect(isSigned(head)).toBe(true);
      expect(isSigned({ ...head, atMs: head.atMs + 1 })).toBe(false);
    }
    expect(await refusalCode(ledger.prove(hash('0') as Parameters<Ledger['prove']>[0]))).toBe('ledger.not_found');
  });

  test('proves that a later head only adds blocks', async () => {
    const ledger = ledgerNow();
    const kept = [await ledger.head()];
    for (let round = 0; round < 5; round += 1) {
      await ledger.submit([listing(newJob())], platform);
      kept.push(await ledger.head());
    }
    for (const earlier of kept) {
      const { path, head } = await ledger.proveConsistency(earlier.block);
      const claim = {
        earlierSize: Number(earlier.block) + 1,
        earlierRoot: earlier.chainRoot,
        laterSize: Number(head.block) + 1,
        laterRoot: head.chainRoot,
        path,
      };
      expect(verifyMerkleConsistency(sha256, claim)).toBe(true);
      expect(verifyMerkleConsistency(sha256, { ...claim, earlierRoot: hash('0') })).toBe(false);
    }
    expect(await refusalCode(ledger.proveConsistency((await ledger.head()).block + 1n))).toBe('ledger.not_found');
  });
}
