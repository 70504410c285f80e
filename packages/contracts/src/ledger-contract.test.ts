import { contractRunner } from '@assay/ledger/testing';
import { expect, test } from 'vitest';
import { LedgerContract } from './ledger-contract.ts';

/** What somebody could add by mistake. */
class Careless extends LedgerContract {
  constructor() {
    super('Contract');
  }

  async untold(): Promise<string> {
    return 'never reached';
  }

  async getContract(): Promise<string> {
    throw new TypeError('a bug: of no code');
  }
}

test('a function that the table does not name cannot be called', async () => {
  const outcome = await contractRunner([Careless]).run('Contract:untold', []);
  expect(outcome).toMatchObject({ kind: 'refused', code: 'ledger.unknown_function' });
});

test('a bug shows as what it is, not as a rule', async () => {
  const outcome = await contractRunner([Careless]).run('Contract:getContract', []);
  expect(outcome).toMatchObject({ kind: 'refused', code: 'ledger.refused', message: 'a bug: of no code' });
});
