import * as fc from 'fast-check';
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Sha256Hex } from './hash.ts';
import { assess, type EvidenceOf, type ReplicationPolicy } from './replication.ts';
import type { Comparator, Result } from './verdict.ts';

const exact: Comparator = { type: 'exact' };
const metric: Comparator = { type: 'metric', tolerance: 0.1 };
const policy = (comparator: Comparator, redundancy = 3): ReplicationPolicy => ({
  comparator,
  redundancy,
  attemptsFactor: 3,
  lossesFactor: 10,
});

const losses = (count: number) => Array.from({ length: count }, (_, index) => lost(index + 10));

describe('assess', () => {
  it('waits while a planned replica is unclaimed or runs', () => {
    expect(judge(policy(exact), [committed(1), committed(2)], 1)).toEqual({ kind: 'wait' });
    expect(judge(policy(exact), [committed(1), committed(2), leased(3)])).toEqual({ kind: 'wait' });
  });

  it('does not lose patience with the first round', () => {
    expect(judge(policy(exact), [committed(1), committed(2)], 1, true)).toEqual({ kind: 'wait' });
  });

  it('opens the results when all planned replicas committed or were lost', () => {
    expect(judge(policy(exact), [committed(2), lost(3), committed(1)])).toEqual({
      kind: 'reveal',
      replicas: ['rep_1', 'rep_2'],
      withdraw: 0,
    });
  });

  it('agrees when as many as the redundancy state the same digest', () => {
    expect(judge(policy(exact), [result(3, 'a'), result(1, 'a'), result(2, 'a')])).toEqual({
      kind: 'agreed',
      canonical: 'rep_2',
      digest: digest('a'),
      exitCode: 0,
      metric: null,
      failed: false,
      agreeing: ['rep_1', 'rep_2', 'rep_3'],
      disagreeing: [],
      withdraw: 0,
    });
  });

  it('buys a replacement for a liar and names it once the replacement agrees', () => {
    const first = [result(1, 'a'), result(2, 'lie'), result(3, 'a')];
    expect(judge(policy(exact), first)).toEqual({ kind: 'more', count: 1 });
    expect(judge(policy(exact), [...first, result(4, 'a')])).toMatchObject({
      kind: 'agreed',
      agreeing: ['rep_1', 'rep_3', 'rep_4'],
      disagreeing: ['rep_2'],
    });
  });

  it('stands on the quorum when a replacement finds no taker', () => {
    const first = [result(1, 'a'), result(2, 'lie'), result(3, 'a')];
    expect(judge(policy(exact), first, 1)).toEqual({ kind: 'wait' });
    expect(judge(policy(exact), first, 1, true)).toMatchObject({
      kind: 'agreed',
      agreeing: ['rep_1', 'rep_3'],
      withdraw: 1,
    });
    expect(judge(policy(exact), first, 0, true)).toMatchObject({ kind: 'agreed', withdraw: 0 });
  });

  it('keeps waiting for a replacement that the quorum needs, however long', () => {
    expect(judge(policy(exact), [result(1, 'a'), result(2, 'b'), lost(3)], 2, true)).toEqual({ kind: 'wait' });
  });

  it('opens a late replacement by itself and counts it', () => {
    const late = [result(1, 'a'), lost(2), result(3, 'a'), committed(4)];
    expect(judge(policy(exact), late)).toEqual({ kind: 'reveal', replicas: ['rep_4'], withdraw: 0 });
  });

  it('gives up when the attempts left cannot make a quorum', () => {
    const all = Array.from({ length: 9 }, (_, index) => result(index + 1, `own ${index}`));
    expect(judge(policy(exact), all)).toEqual({ kind: 'undecided', reason: 'attempts_exhausted' });
    expect(judge(policy(exact), all.slice(0, 8))).toEqual({ kind: 'more', count: 1 });
  });

  it('does not count what was lost as an attempt, but does not lose for ever', () => {
    expect(judge(policy(exact), losses(29))).toEqual({ kind: 'more', count: 3 });
    expect(judge(policy(exact), losses(30))).toMatchObject({ kind: 'undecided', reason: 'attempts_exhausted' });
    const settled = [result(1, 'a'), result(2, 'a'), ...losses(30)];
    expect(judge(policy(exact), settled)).toMatchObject({ kind: 'agreed', agreeing: ['rep_1', 'rep_2'] });
  });

  it('gives no verdict when two disjoint groups reach the quorum', () => {
    const torn = [result(1, 'a'), result(2, 'a'), result(3, 'b'), result(4, 'b')];
    expect(judge(policy(exact), torn)).toEqual({ kind: 'undecided', reason: 'two_quorums' });
    const metrics = [value(1, 1), value(2, 1.05), value(3, 2), value(4, 2.05)];
    expect(judge(policy(metric), metrics)).toEqual({ kind: 'undecided', reason: 'two_quorums' });
  });

  it('counts results of one independence key once', () => {
    const sybil = [result(1, 'lie', 'same'), result(2, 'lie', 'same'), result(3, 'a')];
    expect(judge(policy(exact), sybil)).toEqual({ kind: 'more', count: 2 });
  });

  it('takes equal failures of the job for a result', () => {
    const failures = [failure(1, 1), failure(2, 1), failure(3, 1)];
    expect(judge(policy(metric), failures)).toMatchObject({ kind: 'agreed', failed: true, exitCode: 1 });
    expect(judge(policy(exact), [failure(1, 1), failure(2, 2), result(3, '')])).toEqual({ kind: 'more', count: 2 });
  });

  it('takes the lower median by value for the result of a metric', () => {
    const four = [value(4, 1.06), value(2, 1.02), value(3, 1.04), value(1, 1)];
    expect(judge(policy(metric, 4), four)).toMatchObject({ kind: 'agreed', canonical: 'rep_2', metric: 1.02 });
    expect(judge(policy(metric), [value(1, 1), value(2, 1.11), value(3, 1.09)])).toEqual({ kind: 'more', count: 1 });
  });

  it('compares metrics with the tolerance included', () => {
    const half: Comparator = { type: 'metric', tolerance: 0.5 };
    expect(judge(policy(half, 2), [value(1, 1), value(2, 1.5)])).toMatchObject({ kind: 'agreed' });
    expect(judge(policy(half, 2), [value(1, 1), value(2, 1.5000001)])).toMatchObject({ kind: 'more' });
  });

  it('takes a single result where one is all that was bought', () => {
    expect(judge(policy(exact, 1), [result(1, 'a')])).toMatchObject({ kind: 'agreed', agreeing: ['rep_1'] });
  });

  it('needs a true majority for every redundancy', () => {
    for (let redundancy = 2; redundancy <= 9; redundancy += 1) {
      const quorum = Math.floor(redundancy / 2) + 1;
      const agreeing = Array.from({ length: quorum }, (_, index) => result(index, 'a'));
      const others = Array.from({ length: redundancy - quorum }, (_, index) => result(quorum + index, `lie ${index}`));
      expect(judge(policy(exact, redundancy), [...agreeing, ...others], 0, true)).toMatchObject({ kind: 'agreed' });
      const short = [...agreeing.slice(1), ...others, result(99, 'another')];
      expect(judge(policy(exact, redundancy), short, 0, true).kind).not.toBe('agreed');
    }
  });
});

describe('order', () => {
  const kinds = fc.constantFrom('leased', 'committed', 'lost', 'a', 'b', 'c', 'fail', 1, 1.05, 1.1, 1.2, 2);
  const evidence = fc.array(fc.tuple(kinds, fc.integer({ min: 0, max: 7 })), { maxLength: 6 });

  it('never matters: every permutation of the same evidence is assessed alike', () => {
    fc.assert(
      fc.property(
        evidence,
        fc.constantFrom(exact, metric),
        fc.integer({ min: 1, max: 4 }),
        fc.nat({ max: 1 }),
        fc.boolean(),
        (parts, comparator, redundancy, unclaimed, patienceOver) => {
          const replicas = parts.map(([kind, key], index) => replicaOf(index, kind, comparator, `key ${key}`));
          const judgements = permutations(replicas).map((order) =>
            JSON.stringify(assess(policy(comparator, redundancy), { replicas: order, unclaimed, patienceOver })),
          );
          expect(new Set(judgements).size).toBe(1);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('ends: answering every request leads to a verdict within the attempts', () => {
    fc.assert(
      fc.property(
        fc.array(kinds, { minLength: 30, maxLength: 30 }),
        fc.integer({ min: 1, max: 9 }),
        (supply, redundancy) => {
          const replicas: EvidenceOf[] = [];
          let asked = redundancy;
          for (let round = 0; round < 200; round += 1) {
            while (asked > 0) {
              const kind = supply[replicas.length] ?? 'lost';
              replicas.push(
                replicaOf(replicas.length, kind === 'leased' || kind === 'committed' ? 'a' : kind, exact, ''),
              );
              asked -= 1;
            }
            const next = judge(policy(exact, redundancy), replicas);
            const lostCount = replicas.filter((one) => one.state === 'lost').length;
            expect(replicas.length - lostCount).toBeLessThanOrEqual(redundancy * 3);
            expect(lostCount).toBeLessThan(redundancy * (10 + 1));
            if (next.kind === 'agreed' || next.kind === 'undecided') return;
            expect(next.kind).toBe('more');
            if (next.kind === 'more') asked = next.count;
            expect(asked).toBeGreaterThan(0);
          }
          throw new Error('no end');
        },
      ),
    );
  });
});

function judge(by: ReplicationPolicy, replicas: EvidenceOf[], unclaimed = 0, patienceOver = false) {
  return assess(by, { replicas, unclaimed, patienceOver });
}

function replicaOf(index: number, kind: string | number, comparator: Comparator, key: string): EvidenceOf {
  const own = key === '' ? `key of ${index}` : key;
  if (kind === 'leased') return leased(index);
  if (kind === 'committed') return committed(index);
  if (kind === 'lost') return lost(index);
  if (kind === 'fail') return failure(index, 1, own);
  if (typeof kind === 'number' && comparator.type === 'metric') return value(index, kind, own);
  return result(index, String(kind), own);
}

function digest(content: string): Sha256Hex {
  return createHash('sha256').update(content).digest('hex') as Sha256Hex;
}
function result(number: number, content: string, independenceKey = `key of ${number}`): EvidenceOf & Result {
  return {
    replica: `rep_${number}`,
    state: 'revealed',
    independenceKey,
    digest: digest(content),
    exitCode: 0,
    metric: null,
  };
}
function value(number: number, read: number, key = `key of ${number}`): EvidenceOf {
  return { ...result(number, `${read} of ${number}`, key), metric: read };
}
function failure(number: number, exitCode: number, key = `key of ${number}`): EvidenceOf {
  return { ...result(number, '', key), exitCode };
}
function leased(number: number): EvidenceOf {
  return { replica: `rep_${number}`, state: 'leased', digest: null };
}
function committed(number: number): EvidenceOf {
  return { replica: `rep_${number}`, state: 'committed', digest: null };
}
function lost(number: number): EvidenceOf {
  return { replica: `rep_${number}`, state: 'lost', digest: null };
}

function permutations<T>(items: readonly T[]): T[][] {
  if (items.length === 0) return [[]];
  return items.flatMap((item, index) => permutations(items.toSpliced(index, 1)).map((rest) => [item, ...rest]));
}
