/** What a simulation is about: jobs, workers and customers with their intentions, and how much goes wrong. Drawn from the seed. */

import type { FaultRates } from './faults.ts';
import type { Prng } from './prng.ts';

/**
 * How a worker behaves. `liar` gives wrong results of its own on some units, `colluder` the same wrong results as its
 * accomplice; `vanisher` drops some of what it took, `slow` takes longer than a lease, `crasher` loses what it has not
 * shelved, `deceiver` reveals something other than it committed to.
 */
export type Temperament = 'honest' | 'liar' | 'colluder' | 'vanisher' | 'slow' | 'crasher' | 'deceiver';

export interface WorkerPlan {
  /** Workers of one number have one owner. */
  readonly owner: number;
  readonly temperament: Temperament;
  /** Replicas that it takes at once. */
  readonly slots: number;
}

/**
 * How a customer pays: at once, from a browser some time later, from a browser after the job is off, with a card that is
 * declined first, after walking away first, or never; or calls the job off before or while it pays.
 */
export type Paying = 'at_once' | 'later' | 'too_late' | 'declined_first' | 'abandoned_first' | 'never' | 'cancels';

export interface JobPlan {
  readonly units: number;
  readonly redundancy: number;
  readonly comparator: 'exact' | 'metric';
  readonly merge: boolean;
  /** The customer's code ends with an error. */
  readonly fails: boolean;
  /** Outputs have bytes, which must be uploaded before they are revealed. */
  readonly uploads: boolean;
  readonly paying: Paying;
  /** What the customer does about the result; `late` is after the challenge window. */
  readonly dispute: 'none' | 'in_time' | 'late';
  readonly ruling: 'release' | 'refund' | 'split';
}

export interface Scenario {
  readonly startMs: number;
  /** The error of each server's clock. */
  readonly serverSkewsMs: readonly number[];
  readonly challengeWindowMs: number;
  readonly payWithinMs: number;
  readonly payoutDelayMs: number;
  readonly workers: readonly WorkerPlan[];
  readonly jobs: readonly JobPlan[];
  readonly rates: FaultRates;
  /** How many payouts the bank returns. */
  readonly payoutFailures: number;
  /** Webhooks that never come, and that come twice. */
  readonly webhookLoss: number;
  readonly webhookRepeat: number;
  /** Steps until all faults end. */
  readonly steps: number;
}

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

/** Noon of a day within three days of a month's end, so that some jobs settle in the next month. */
const startsMs = Date.UTC(2026, 10, 28, 12);

export function drawScenario(random: Prng): Scenario {
  const jobs = Array.from({ length: random.pick([1, 1, 2]) }, () => drawJob(random));
  const calm = random.chance(0.15);
  const rate = (most: number): number => (calm ? 0 : (random.below(100) / 100) * most);
  return {
    startMs: startsMs + random.below(3 * 24 * hourMs),
    serverSkewsMs: Array.from({ length: random.chance(0.4) ? 2 : 1 }, () => random.between(-minuteMs, minuteMs)),
    challengeWindowMs: random.between(10 * minuteMs, 4 * hourMs),
    payWithinMs: random.between(20 * minuteMs, 2 * hourMs),
    payoutDelayMs: random.pick([0, 10 * minuteMs]),
    workers: drawWorkers(random, jobs),
    jobs,
    rates: { crash: rate(0.02), connection: rate(0.04), provider: rate(0.25) },
    payoutFailures: rate(0.3),
    webhookLoss: rate(0.4),
    webhookRepeat: rate(0.5),
    steps: random.between(60, 400),
  };
}

function drawJob(random: Prng): JobPlan {
  const comparator = random.pick(['exact', 'metric'] as const);
  return {
    units: random.between(1, 3),
    redundancy: random.pick([1, 2, 3, 3, 3, 3, 5]),
    comparator,
    merge: random.chance(0.3),
    fails: random.chance(0.08),
    uploads: random.chance(0.25),
    paying: random.chance(0.65)
      ? 'at_once'
      : random.pick(['later', 'later', 'too_late', 'declined_first', 'abandoned_first', 'never', 'cancels']),
    dispute: random.pick(['none', 'none', 'in_time', 'late']),
    ruling: random.pick(['release', 'refund', 'split']),
  };
}

/** Enough honest owners for every job, and a few others. */
function drawWorkers(random: Prng, jobs: readonly JobPlan[]): WorkerPlan[] {
  const redundancy = Math.max(...jobs.map((job) => job.redundancy));
  const temperaments: Temperament[] = Array.from({ length: redundancy }, () =>
    random.chance(0.6) ? 'honest' : random.pick(['slow', 'crasher', 'honest']),
  );
  for (let others = random.below(3); others > 0; others -= 1) {
    temperaments.push(random.pick(['liar', 'liar', 'vanisher', 'deceiver', 'honest']));
  }
  if (redundancy >= 3 && random.chance(redundancy === 5 ? 0.6 : 0.15)) temperaments.push('colluder', 'colluder');
  const workers = temperaments.map((temperament, owner) => ({ owner, temperament, slots: random.between(2, 6) }));
  const sibling = random.pick(workers);
  return random.chance(0.3) ? [...workers, { ...sibling, slots: 2 }] : workers;
}
