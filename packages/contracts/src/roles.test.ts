import { contractNames, type LedgerIdentity } from '@assay/core';
import { contractRunner } from '@assay/ledger/testing';
import { expect, test } from 'vitest';
import { contracts } from './contract-classes.ts';
import { contractFunctions, ledgerRoles, platformMsp, type LedgerRole } from './roles.ts';

const calls = contractNames.flatMap((contract) =>
  Object.entries(contractFunctions[contract]).map(([fn, row]) => ({ contract, fn, row })),
);

test('the table names every function of the four contracts and no other', () => {
  const written = contracts.flatMap((contract) =>
    Object.getOwnPropertyNames(contract.prototype)
      .filter((name) => name !== 'constructor')
      .map((name) => `${contract.name}:${name}`),
  );
  expect(calls.map(({ contract, fn }) => `${contract}:${fn}`).toSorted()).toEqual(written.toSorted());
  for (const contract of contracts) expect(new contract().getName()).toBe(contract.name);
});

test.each(calls)(
  '$contract:$fn takes its roles, from the platform where that matters, and $row.args',
  async ({ contract, fn, row }) => {
    const runner = contractRunner();
    const args = row.args.map(() => 'x');
    const code = async (as: LedgerIdentity): Promise<string> => {
      const outcome = await runner.endorse(`${contract}:${fn}`, args, { as });
      return outcome.kind === 'refused' ? outcome.code : 'ok';
    };
    for (const mspId of [platformMsp, 'WorkerMSP']) {
      for (const role of [...ledgerRoles, 'admin', 'assay']) {
        const platformOnly = role === 'orchestrator' || role === 'arbiter';
        const may = row.roles.includes(role as LedgerRole) && (mspId === platformMsp || !platformOnly);
        expect([role, mspId, (await code({ mspId, name: 'somebody', roles: [role] })) !== 'auth.forbidden']).toEqual([
          role,
          mspId,
          may,
        ]);
      }
    }
    expect(await code({ mspId: platformMsp, name: 'somebody', roles: [] })).toBe('auth.forbidden');
    const more = await runner.endorse(`${contract}:${fn}`, [...args, 'x']);
    expect(more).toMatchObject({ kind: 'refused', code: 'ledger.unknown_function' });
  },
);

test.each(calls.filter(({ row }) => row.kind === 'evaluate'))(
  '$contract:$fn writes nothing',
  async ({ contract, fn }) => {
    const outcome = await contractRunner().endorse(`${contract}:${fn}`, ['{}']);
    expect(outcome.set).toMatchObject({ writes: [], event: null });
  },
);
