import type { LedgerIdentity } from '@assay/core';
import { contractRunner, platformIdentity } from '@assay/ledger/testing';
import { expect, test } from 'vitest';

const job = `job_${'1'.repeat(32)}`;
const worker = `wrk_${'2'.repeat(32)}`;
const hash = (letter: string): string => letter.repeat(64);
const details = {
  manifestHash: hash('a'),
  bundleDigest: hash('b'),
  termsHash: hash('c'),
  requirementsHash: hash('d'),
  region: 'eu',
  runner: 'platform-runner:python-3.13',
  verification: 'exact',
  redundancy: 3,
  units: 10,
  storage: 'https://objects.eu/bucket',
};
const list = (changes: object = {}, id = job): [string, string[]] => [
  'Marketplace:listContract',
  [id, JSON.stringify({ ...details, ...changes })],
];
const malformed = { kind: 'refused', code: 'request.malformed' };

test('a listing keeps its details and the time', async () => {
  const runner = contractRunner();
  const outcome = await runner.run(...list(), { atMs: 77_123 });
  const record = { id: job, state: 'CREATED', details, batches: 0, listedAtMs: 77_123, changedAtMs: 77_123 };
  expect(outcome.kind === 'endorsed' && JSON.parse(outcome.result)).toEqual(record);
  expect(await runner.run(...list())).toMatchObject({ kind: 'refused', code: 'job.exists' });
});

test.each<[string, object]>([
  ...Object.keys(details).map((key): [string, object] => [`without ${key}`, { [key]: undefined }]),
  ['with an unknown key', { extra: 1 }],
  ['with a wrong hash', { manifestHash: hash('A') }],
  ['with a hash that is a number', { bundleDigest: 7 }],
  ['with a wrong requirements hash', { requirementsHash: '' }],
  ['of an unknown region', { region: 'mars' }],
  ['with a runner of odd characters', { runner: 'Python 3' }],
  ['with a runner that is a list', { runner: ['python'] }],
  ['of an unknown verification', { verification: 'trust' }],
  ['without redundancy', { redundancy: 0 }],
  ['with half a replica', { redundancy: 1.5 }],
  ['with too many replicas', { redundancy: 10 }],
  ['without units', { units: 0 }],
  ['with too many units', { units: 10_002 }],
  ['with a count in text', { units: '10' }],
  ['with a storage of two words', { storage: 'a b' }],
])('a listing %s is malformed', async (_, changes) => {
  expect(await contractRunner().run(...list(changes))).toMatchObject(malformed);
});

test.each([['{'], ['[]'], ['null'], ['"text"'], ['7']])('details that are %s are malformed', async (text) => {
  expect(await contractRunner().run('Marketplace:listContract', [job, text])).toMatchObject(malformed);
});

test.each([[''], ['job_1'], [worker], [`${job} `], [job.toUpperCase()]])('%j is no contract id', async (id) => {
  expect(await contractRunner().run(...list({}, id))).toMatchObject(malformed);
});

test('arguments have a size', async () => {
  const outcome = await contractRunner().run('Marketplace:listContract', [job, ' '.repeat(128 * 1024 + 1)]);
  expect(outcome).toMatchObject({ kind: 'refused', code: 'request.too_large' });
});

test('a claim is recorded once, by the worker itself or the orchestrator, while the contract is funded', async () => {
  const runner = contractRunner();
  const device: LedgerIdentity = { mspId: 'WorkerMSP', name: worker, roles: ['worker'] };
  const claim = (as = device, who = worker) => runner.run('Marketplace:claimContract', [who, job], { as, atMs: 9 });
  expect(await claim()).toMatchObject({ kind: 'refused', code: 'job.not_found' });
  await runner.run(...list());
  expect(await claim()).toMatchObject({ kind: 'refused', code: 'job.wrong_state' });
  await runner.run('Contract:activateContract', [job]);
  const other = `wrk_${'3'.repeat(32)}`;
  expect(await claim(device, other)).toMatchObject({ kind: 'refused', code: 'auth.forbidden' });
  const first = await claim();
  expect(first).toMatchObject({ kind: 'endorsed', set: { event: { name: 'ContractClaimed' } } });
  const again = await claim();
  expect(again).toMatchObject({ kind: 'endorsed', set: { event: null, writes: [] } });
  expect(again.kind === 'endorsed' && first.kind === 'endorsed' && again.result === first.result).toBe(true);
  expect(await claim(platformIdentity, other)).toMatchObject({ kind: 'endorsed' });
  expect(await claim(device, 'wrk_1')).toMatchObject(malformed);
});

test.each([
  ['{"colour":"red"}'],
  ['{"region":"mars"}'],
  ['{"runner":"a b"}'],
  ['{"verification":"trust"}'],
  ['{"limit":0}'],
  ['{"limit":101}'],
  ['{"limit":"5"}'],
  [`{"after":"mars/${job}"}`],
  [`{"after":"${job}"}`],
  [`{"region":"eu","after":"us/${job}"}`],
  ['[]'],
])('the filters %s are malformed', async (filters) => {
  expect(await contractRunner().run('Marketplace:getAvailableContracts', [filters])).toMatchObject(malformed);
});

test('open contracts come by region and id, filtered and in pages', async () => {
  const runner = contractRunner();
  const ids = ['5', '3', '4', '1', '2'].map((digit) => `job_${digit.repeat(32)}`);
  const regions = ['us', 'eu', 'eu', 'us', 'ru'];
  for (const [index, id] of ids.entries()) {
    await runner.run(...list({ region: regions[index], verification: index === 1 ? 'metric' : 'exact' }, id));
    await runner.run('Contract:activateContract', [id]);
  }
  const page = async (filters: object) => {
    const outcome = await runner.endorse('Marketplace:getAvailableContracts', [JSON.stringify(filters)]);
    if (outcome.kind === 'refused') throw new Error(outcome.message);
    const { items, next } = JSON.parse(outcome.result) as { items: { id: string }[]; next: string | null };
    return { ids: items.map((item) => item.id.slice(-1)).join(''), next };
  };
  expect(await page({})).toEqual({ ids: '34215', next: null });
  expect(await page({ region: 'us' })).toEqual({ ids: '15', next: null });
  expect(await page({ verification: 'metric' })).toEqual({ ids: '3', next: null });
  expect(await page({ runner: 'none' })).toEqual({ ids: '', next: null });
  const first = await page({ limit: 2 });
  expect(first).toEqual({ ids: '34', next: `eu/job_${'4'.repeat(32)}` });
  const second = await page({ limit: 2, after: first.next });
  expect(second).toEqual({ ids: '21', next: `us/job_${'1'.repeat(32)}` });
  expect(await page({ limit: 2, after: second.next })).toEqual({ ids: '5', next: null });
});
