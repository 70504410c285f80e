import { createHash } from 'node:crypto';
import { contractRunner } from '@assay/ledger/testing';
import { expect, test } from 'vitest';
import { Call, newestVersion } from './call.ts';
import { contracts } from './contract-classes.ts';
import { sealedCollection } from './contract.ts';
import { details, job } from './listing.setup.ts';

const place = (collection: string, key: string): string => `${collection}/${key}`;

/** The contracts on a channel with a private collection: a missing key is no bytes at all, as on Fabric. */
function withCollection(store: Map<string, Uint8Array>): typeof contracts {
  const none = new Uint8Array(0);
  const privateData = {
    putPrivateData: async (collection: string, key: string, value: Uint8Array) => {
      store.set(place(collection, key), value);
    },
    getPrivateData: async (collection: string, key: string) => store.get(place(collection, key)) ?? none,
    getPrivateDataHash: async (collection: string, key: string) => {
      const value = store.get(place(collection, key));
      return value === undefined ? none : createHash('sha256').update(value).digest();
    },
  };
  return contracts.map((of) => {
    const make = function make() {
      return Object.assign(new of(), {
        createContext: () =>
          Object.assign(new Call(newestVersion), {
            setChaincodeStub(this: Call, stub: Call['stub']) {
              this.stub = Object.assign(stub, privateData);
            },
          }),
      });
    };
    return make as unknown as typeof of;
  });
}

test('what is sealed is read again by members, its hash by everybody, and nothing of it is in the transaction', async () => {
  const store = new Map<string, Uint8Array>();
  const runner = contractRunner(withCollection(store));
  await runner.run('Marketplace:listContract', [job, details]);
  for (const fn of ['getSealed', 'getSealedHash']) {
    const missing = await runner.endorse(`Contract:${fn}`, [job]);
    expect([fn, missing]).toMatchObject([fn, { kind: 'refused', code: 'job.not_found' }]);
  }
  const sealed = await runner.run('Contract:sealDetails', [job], { sealed: 'the secret' });
  expect(sealed).toMatchObject({ kind: 'endorsed', set: { writes: [], event: { name: 'DetailsSealed' } } });
  expect(JSON.stringify(sealed)).not.toContain('secret');
  expect([...store.keys()]).toEqual([`${sealedCollection}/\0contract\0${job}\0`]);
  expect(await runner.endorse('Contract:getSealed', [job])).toMatchObject({ result: 'the secret' });
  expect(await runner.endorse('Contract:getSealedHash', [job])).toMatchObject({
    result: createHash('sha256').update('the secret').digest('hex'),
  });
});
