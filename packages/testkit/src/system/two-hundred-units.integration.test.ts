import { memorySandbox } from '@assay/core/conformance';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openWholeMarket, submit, untilEnded, type WholeMarket } from './whole-market.setup.ts';

// 600 runs of a real sandbox are four minutes of CPU time, so `ASSAY_SYSTEM_SANDBOX=wasm` asks for them.
const real = process.env['ASSAY_SYSTEM_SANDBOX'] === 'wasm';
const units = 200;
const workers = 6;

const square = (ordinal: string): string => String(Number(ordinal) ** 2);

/** What `main.py` and `merge.py` do, without their interpreter. */
const inMemory = memorySandbox(async ({ unit, read, log }) => {
  const ordinal = unit.environment['ASSAY_UNIT_ORDINAL'] ?? '';
  if (unit.entryPoint === 'main.py') {
    log('stdout', `unit ${ordinal}\n`);
    return { files: { 'square.txt': square(ordinal) } };
  }
  const parts = unit.inputs.filter((input) => input.path.endsWith('/square.txt'));
  const texts = await Promise.all(parts.map((part) => read(part.path)));
  return { files: { 'total.txt': String(texts.reduce((sum, text) => sum + Number(text), 0)) } };
});

const files = {
  'main.py': `import os
ordinal = int(os.environ["ASSAY_UNIT_ORDINAL"])
print(f"unit {ordinal}")
os.makedirs("results", exist_ok=True)
with open("results/square.txt", "w") as file:
    file.write(str(ordinal ** 2))
`,
  'merge.py': `import os
total = sum(int(open(f"inputs/{unit}/square.txt").read()) for unit in os.listdir("inputs"))
os.makedirs("results", exist_ok=True)
with open("results/total.txt", "w") as file:
    file.write(str(total))
`,
};

const manifest = {
  name: 'two hundred squares',
  resources: { memory_gb: 0.25, expected_minutes: 0.1 },
  parallelism: { strategy: 'data_parallel', chunks: units, merge_script: 'merge.py' },
  verification: { type: 'exact', redundancy: 3 },
  environment: { random_seed: 1 },
  timeout_hours: 0.05,
};

let market: WholeMarket;
beforeAll(async () => {
  market = await openWholeMarket({ workers, capacity: real ? 1 : 4, ...(real ? {} : { driver: inMemory }) });
});
afterAll(() => market.close());

const patienceMs = real ? 900_000 : 60_000;

test('two hundred units of three replicas finish on six workers', { timeout: patienceMs + 30_000 }, async () => {
  const { customer } = market;
  const { id } = await submit(customer, manifest, files);
  const [job] = await untilEnded(customer, [id], patienceMs);
  expect(job?.failure?.text ?? job?.state).toBe('completed');
  expect(job?.counts).toMatchObject({ units: units + 1, agreed: units + 1, undecided: 0, replicasRunning: 0 });
  const total = units * (units - 1) * (2 * units - 1);
  const result = await new Response(await customer.getResultFile(id, 'total.txt')).text();
  expect(Number(result) * 6).toBe(total);

  const taken = await replicas(id);
  expect(taken).toHaveLength(3 * (units + 1));
  expect(taken.every((replica) => replica.state === 'agreed')).toBe(true);
  const shares = Map.groupBy(taken, (replica) => replica.workerId);
  expect(shares.size).toBe(workers);
  // Nobody is fed at the cost of the others: each of six equal workers does at least half of its share.
  for (const share of shares.values()) expect(share.length).toBeGreaterThan((3 * units) / workers / 2);
  expect(await market.faults([id])).toEqual([]);
  expect(market.notes).toEqual([]);
});

async function replicas(job: string) {
  const found = [];
  for (let after: string | null = null; ;) {
    const page = await market.customer.listUnits(job, after === null ? {} : { after });
    found.push(...page.items.flatMap((unit) => unit.replicas));
    after = page.next;
    if (after === null) return found;
  }
}
