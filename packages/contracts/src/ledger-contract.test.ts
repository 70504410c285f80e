import { contractRunner } from '@assay/ledger/testing';
import { expect, test } from 'vitest';
import type { Call } from './call.ts';
import { LedgerContract } from './ledger-contract.ts';
import { details, job } from './listing.setup.ts';

/** What somebody could add by mistake. */
class Careless extends LedgerContract {
  constructor() {
    super('Contract');
  }

  async untold(): Promise<string> {
    return 'never reached';
  }

  async getContract(_: Call, id: string): Promise<string> {
    throw new TypeError(`a bug: of no code in ${id}`);
  }
}

test('a function that the table does not name cannot be called', async () => {
  const outcome = await contractRunner([Careless]).run('Contract:untold', []);
  expect(outcome).toMatchObject({ kind: 'refused', code: 'ledger.unknown_function' });
});

test('a bug shows as what it is, not as a rule', async () => {
  const outcome = await contractRunner([Careless]).run('Contract:getContract', ['x']);
  expect(outcome).toMatchObject({ kind: 'refused', code: 'ledger.refused', message: 'a bug: of no code in x' });
});

test('a key that comes with the proposal commits once, and later ones learn by what', async () => {
  const runner = contractRunner();
  expect((await runner.run('Marketplace:listContract', [job, details], { key: 'k1' })).kind).toBe('endorsed');
  const again = await runner.run('Contract:activateContract', [job], { key: 'k1' });
  expect(again).toMatchObject({ kind: 'refused', code: 'idempotency.key_reused', message: '0'.repeat(64) });
  expect((await runner.run('Contract:activateContract', [job], { key: 'k2' })).kind).toBe('endorsed');
});

test('of two proposals with one key on the same state, the second conflicts with the first', async () => {
  const runner = contractRunner();
  const [one, two] = await Promise.all(
    ['2', '3'].map((digit) =>
      runner.endorse('Marketplace:listContract', [`job_${digit.repeat(32)}`, details], { key: 'same' }),
    ),
  );
  const written = new Set(one?.set.writes.map(([key]) => key));
  const shared = two?.set.reads.filter(([key, version]) => written.has(key) && version === null);
  expect(shared?.map(([key]) => key)).toEqual(['\0done\0PlatformMSP\0same\0']);
});

test('reading takes no key, and a refused call leaves none', async () => {
  const runner = contractRunner();
  expect((await runner.run('Contract:activateContract', [job], { key: 'k' })).kind).toBe('refused');
  await runner.run('Marketplace:listContract', [job, details], { key: 'k' });
  const read = await runner.run('Contract:getContract', [job], { key: 'k' });
  expect(read).toMatchObject({ kind: 'endorsed', set: { writes: [] } });
});

test.each(['', 'x'.repeat(301), 'a\0b', 'a\u{10ffff}'])('a key of %j is refused', async (key) => {
  const outcome = await contractRunner().run('Marketplace:listContract', [job, details], { key });
  expect(outcome).toMatchObject({ kind: 'refused', code: 'request.malformed' });
});

test.each([undefined, ''])('sealing %j is refused', async (sealed) => {
  const runner = contractRunner();
  await runner.run('Marketplace:listContract', [job, details]);
  const outcome = await runner.run('Contract:sealDetails', [job], sealed === undefined ? {} : { sealed });
  expect(outcome).toMatchObject({ kind: 'refused', code: 'request.malformed' });
});

test('what is too long to be sealed, of no contract, or of an engine without private data is refused', async () => {
  const runner = contractRunner();
  const seal = (sealed: string) => runner.run('Contract:sealDetails', [job], { sealed });
  expect(await seal('x')).toMatchObject({ kind: 'refused', code: 'job.not_found' });
  await runner.run('Marketplace:listContract', [job, details]);
  expect(await seal('x'.repeat(128 * 1024 + 1))).toMatchObject({ kind: 'refused', code: 'request.too_large' });
  expect(await seal('x')).toMatchObject({ kind: 'refused', code: 'ledger.refused' });
});
