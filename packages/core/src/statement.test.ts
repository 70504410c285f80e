import * as fc from 'fast-check';
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { parseSha256, toHex, utf8, type Sha256Hex } from './hash.ts';
import type { JobId, ReplicaId, RequestId, UnitId, WorkerId } from './ids.ts';
import { merkleLeaf, merkleRoot } from './merkle.ts';
import { rulingHash } from './ruling.ts';
import { money } from './money.ts';
import {
  batchRoots,
  commitLeaf,
  commitmentOf,
  envelopeText,
  exchangeLeafHashes,
  exitCodeOf,
  statementLeaf,
  statementsRoot,
  verdictLeaf,
  type JudgedUnit,
  type ResultStatement,
} from './statement.ts';

const sha256 = (bytes: Uint8Array): Uint8Array => createHash('sha256').update(bytes).digest();
const hash = (text: string): Sha256Hex => parseSha256(toHex(sha256(utf8(text))))!;
const text = (leaf: Uint8Array): string => new TextDecoder().decode(leaf);

const job = `job_${'0'.repeat(31)}1` as JobId;
const unit = `unt_${'0'.repeat(31)}1` as UnitId;
const worker = `wrk_${'0'.repeat(31)}1` as WorkerId;
const replica = `rep_${'0'.repeat(31)}1` as ReplicaId;
const machineClass = `${hash('runner')}/x64`;
const statement: ResultStatement = {
  job,
  unit,
  replica,
  worker,
  machineClass,
  digest: hash('d'),
  exitCode: 0,
  metrics: null,
};

describe('encodings', () => {
  it('of leaves are canonical JSON', () => {
    expect(text(commitLeaf(replica, hash('c')))).toBe(
      `{"commit":{"commitment":"${hash('c')}","replica":"${replica}"}}`,
    );
    expect(text(statementLeaf(statement))).toBe(
      `{"digest":"${hash('d')}","exitCode":0,"job":"${job}","machineClass":"${machineClass}","metrics":null,"replica":"${replica}","unit":"${unit}","worker":"${worker}"}`,
    );
  });

  it('of envelopes are lines of text', () => {
    const request = `req_${'0'.repeat(32)}` as RequestId;
    const envelope = { worker, request, sentAtMs: 7, statementsRoot: hash('r'), bodySha256: hash('b') };
    expect(envelopeText(envelope)).toBe(`assay/exchange/2\n${worker}\n${request}\n7\n${hash('r')}\n${hash('b')}`);
  });

  it('leave out what does not belong to them', () => {
    const more = { ...statement, secret: 'x' };
    expect(statementLeaf(more)).toEqual(statementLeaf(statement));
  });

  it('of commitments bind every part', () => {
    const bound = { job, unit, worker, nonce: hash('n'), digest: hash('d') };
    const base = commitmentOf(sha256, bound);
    expect(base).toBe(
      hash(
        `assay/commitment/1\n{"digest":"${hash('d')}","job":"${job}","nonce":"${hash('n')}","unit":"${unit}","worker":"${worker}"}`,
      ),
    );
    for (const key of Object.keys(bound))
      expect(commitmentOf(sha256, { ...bound, [key]: hash('other') }), key).not.toBe(base);
  });

  it('of rulings bind every part', () => {
    const ruling = { outcome: 'COMPLETED', refund: money('USD', 1n), reason: 'late' } as const;
    const others = [
      { ...ruling, outcome: 'REFUNDED' } as const,
      { ...ruling, refund: money('USD', 2n) },
      { ...ruling, reason: '' },
    ];
    expect(new Set([ruling, ...others].map((one) => rulingHash(sha256, job, one))).size).toBe(4);
  });
});

describe('roots', () => {
  it('of an exchange stand over commits, then results', () => {
    const commits = [{ replica, commitment: hash('c') }];
    const leaves = [commitLeaf(replica, hash('c')), statementLeaf(statement)];
    expect(exchangeLeafHashes(sha256, commits, [statement])).toEqual(
      leaves.map((leaf) => toHex(merkleLeaf(sha256, leaf))),
    );
    expect(statementsRoot(sha256, commits, [statement])).toBe(merkleRoot(sha256, leaves));
    expect(statementsRoot(sha256, [], [])).toBe(hash(''));
  });

  it('of a batch do not depend on the order of units, statements or agreeing replicas', () => {
    const units = Array.from({ length: 4 }, (_, index): JudgedUnit => {
      const own = `unt_${String(index).padStart(32, '0')}` as UnitId;
      const statements = Array.from({ length: 3 }, (__, one) => {
        const id = `rep_${String(index * 3 + one).padStart(32, '0')}` as ReplicaId;
        return { ...statement, unit: own, replica: id };
      });
      const agreeing = statements.map((one) => one.replica);
      const verdict = {
        unit: own,
        ordinal: index,
        kind: 'work',
        digest: hash('d'),
        exitCode: 0,
        metric: '1.5',
        canonical: replica,
        agreeing,
      } as const;
      return { verdict, statements };
    });
    const roots = batchRoots(sha256, units);
    const order = fc.shuffledSubarray([0, 1, 2, 3], { minLength: 4 });
    fc.assert(
      fc.property(order, fc.boolean(), (indexes, turn) => {
        const shuffled = indexes
          .map((index) => units[index]!)
          .map(({ verdict, statements }) => ({
            verdict: { ...verdict, agreeing: turn ? verdict.agreeing.toReversed() : verdict.agreeing },
            statements: turn ? statements.toReversed() : statements,
          }));
        expect(batchRoots(sha256, shuffled)).toEqual(roots);
      }),
    );
    expect(roots.resultHash).toBe(
      merkleRoot(
        sha256,
        units.map((one) => verdictLeaf(one.verdict)),
      ),
    );
    expect(batchRoots(sha256, units.slice(1))).not.toEqual(roots);
  });
});

describe('exitCodeOf', () => {
  it('states the ends that the unit caused, and no others', () => {
    expect(exitCodeOf({ kind: 'exit', code: 3 })).toBe(3);
    expect(exitCodeOf({ kind: 'infra', message: '' })).toBeUndefined();
    expect(exitCodeOf({ kind: 'killed', why: 'operator' })).toBeUndefined();
    const whys = ['wall', 'memory', 'scratch', 'outputs', 'log', 'policy'] as const;
    expect(whys.map((why) => exitCodeOf({ kind: 'killed', why }))).toEqual([124, 137, 153, 153, 153, 159]);
  });
});
