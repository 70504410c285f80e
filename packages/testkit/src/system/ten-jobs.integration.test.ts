import type { Job } from '@assay/client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openWholeMarket, submit, untilEnded, type WholeMarket } from './whole-market.setup.ts';

let market: WholeMarket;
beforeAll(async () => {
  market = await openWholeMarket({ workers: 4, capacity: 1 });
});
afterAll(() => market.close());

const resources = { memory_gb: 0.25, expected_minutes: 0.1 };

/** Says which job and unit it is. */
const exact = {
  'main.py': `import os, sys
os.makedirs("results", exist_ok=True)
with open("results/said.txt", "w") as file:
    file.write(f"job {sys.argv[1]}, unit {os.environ['ASSAY_UNIT_ORDINAL']}")
print("said")
`,
};

/** Measures something that differs a little from worker to worker, as floating point does. */
const metric = {
  'main.py': `import json, os, random, sys
os.makedirs("results", exist_ok=True)
noise = random.SystemRandom().random() / 1000
with open("results/metrics.json", "w") as file:
    json.dump({"score": int(sys.argv[1]) + noise}, file)
`,
};

const merged = {
  'main.py': `import os, sys
os.makedirs("results", exist_ok=True)
with open("results/part.txt", "w") as file:
    file.write(str(int(sys.argv[1]) * 10 + int(os.environ["ASSAY_UNIT_ORDINAL"])))
`,
  'merge.py': `import os
total = sum(int(open(f"inputs/{unit}/part.txt").read()) for unit in os.listdir("inputs"))
os.makedirs("results", exist_ok=True)
with open("results/total.txt", "w") as file:
    file.write(str(total))
`,
};

/** What job `index` asks for; each third is exact, judged by a metric, or merged. */
function order(index: number) {
  const common = { name: `job ${index}`, args: [String(index)], resources, timeout_hours: 0.05 };
  const kind = (['exact', 'metric', 'merge'] as const)[index % 3] ?? 'exact';
  const redundancy = index < 4 ? 3 : 2;
  const verification =
    kind === 'metric'
      ? { type: 'metric', metric_name: 'score', tolerance: 0.01, redundancy }
      : { type: 'exact', redundancy };
  const parallelism =
    kind === 'merge' ? { strategy: 'data_parallel', chunks: 2, merge_script: 'merge.py' } : { chunks: 1 };
  const files = { exact, metric, merge: merged }[kind];
  const seeded = kind === 'metric' ? {} : { environment: { random_seed: index } };
  return { kind, files, manifest: { ...common, verification, parallelism, ...seeded } };
}

test('ten jobs that are sent at once are completed, and every book agrees', { timeout: 120_000 }, async () => {
  const orders = Array.from({ length: 10 }, (_, index) => order(index));
  const sent = await Promise.all(orders.map(({ manifest, files }) => submit(market.customer, manifest, files)));
  const ids = sent.map((job) => job.id);
  expect(new Set(ids).size).toBe(10);

  const jobs = await untilEnded(market.customer, ids, 100_000);
  expect(jobs.map(({ state, failure }) => failure?.text ?? state)).toEqual(ids.map(() => 'completed'));
  for (const [index, job] of jobs.entries()) {
    const { kind } = order(index);
    expect(await resultOf(job.id)).toEqual(
      kind === 'exact'
        ? { 'said.txt': `job ${index}, unit 0` }
        : kind === 'merge'
          ? { 'total.txt': String(index * 20 + 1) }
          : { 'metrics.json': expect.stringContaining(`{"score": ${index}.000`) },
    );
    expect(spent(job)).toBe(priceOf(job));
  }
  expect(await market.faults(ids)).toEqual([]);
  expect(market.notes).toEqual([]);
});

/** What the customer paid for in the end: each agreed replica at the price that was quoted. */
function spent({ price }: Job): bigint {
  return BigInt(price.charged?.minor ?? '0') - BigInt(price.refunded?.minor ?? '0');
}

function priceOf({ price, redundancy, counts }: Job): bigint {
  return BigInt(price.perReplica.minor) * BigInt(redundancy * counts.units);
}

async function resultOf(job: string): Promise<Record<string, string>> {
  const texts: Record<string, string> = {};
  const tree = await market.customer.getResults(job);
  for (const { path } of tree.files) {
    const name = path.slice(path.lastIndexOf('/') + 1);
    texts[name] = await new Response(await market.customer.getResultFile(job, path)).text();
  }
  return texts;
}
