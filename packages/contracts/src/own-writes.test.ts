import { contractRunner, type ContractRunner } from '@assay/ledger/testing';
import { expect, test } from 'vitest';
import { Call, newestVersion } from './call.ts';
import { contracts } from './contract-classes.ts';
import { details, hash, job } from './listing.setup.ts';

/** Fabric shows a transaction only what was committed before it: whoever reads what it just wrote reads the past. */
interface Access {
  readonly kind: 'read' | 'range' | 'write' | 'event';
  readonly key: string;
}

const prefixOf = (type: string, attributes: readonly string[]): string => ['', type, ...attributes, ''].join('\0');

/** A stub that notes what is done with the state, in order. */
function noting(stub: Call['stub'], log: Access[]): Call['stub'] {
  return new Proxy(stub, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== 'function') return value;
      return (...args: unknown[]): unknown => {
        const key = String(args[0]);
        if (name === 'getState') log.push({ kind: 'read', key });
        if (name === 'putState' || name === 'deleteState') log.push({ kind: 'write', key });
        if (name === 'setEvent') log.push({ kind: 'event', key });
        if (name === 'getStateByPartialCompositeKey') {
          log.push({ kind: 'range', key: prefixOf(key, args[1] as string[]) });
        }
        return Reflect.apply(value, target, args) as unknown;
      };
    },
  });
}

/** The contracts with every call's accesses in `log`. */
function noted(log: Access[]): typeof contracts {
  return contracts.map((of) => {
    const make = function make() {
      const contract = new of();
      contract.createContext = () =>
        Object.assign(new Call(newestVersion), {
          setChaincodeStub(this: Call, stub: Call['stub']) {
            this.stub = noting(stub, log);
          },
        });
      return contract;
    };
    return make as unknown as typeof of;
  });
}

const worker = `wrk_${'2'.repeat(32)}`;

/** Every function that writes, on ways that reach them all. */
const ways: [string, string[]][][] = [
  [
    ['Marketplace:listContract', [job, details]],
    ['Contract:cancelContract', [job]],
  ],
  [
    ['Marketplace:listContract', [job, details]],
    ['Contract:activateContract', [job]],
    ['Marketplace:claimContract', [worker, job]],
    ['Contract:submitWork', [job, hash('d'), hash('e')]],
    ['Contract:verifyWork', [job]],
    ['EscrowTrigger:startChallengeTimer', [job, '0', '0']],
    ['EscrowTrigger:triggerPayout', [job]],
    ['Contract:completeContract', [job]],
    ['Reputation:recordResult', [worker, 'true', JSON.stringify({ job, replicas: 1 })]],
    ['Reputation:recordResults', [job, '0', JSON.stringify([{ worker, agreed: 1, disagreed: 0, lost: 0 }])]],
    ['Reputation:slashReputation', [worker, 'sandbox.escape']],
  ],
  [
    ['Marketplace:listContract', [job, details]],
    ['Contract:activateContract', [job]],
    ['Contract:submitWork', [job, hash('d'), hash('e')]],
    ['Contract:verifyWork', [job]],
    ['Contract:disputeContract', [job, hash('f')]],
    ['Contract:resolveDispute', [job, 'REFUNDED', hash('0')]],
  ],
  [
    ['Marketplace:listContract', [job, details]],
    ['Contract:activateContract', [job]],
    ['EscrowTrigger:triggerRefund', [job]],
    ['Contract:refundContract', [job]],
  ],
];

async function accesses(runner: ContractRunner, log: Access[], call: string, args: string[], index: number) {
  log.length = 0;
  const roles = ['orchestrator', 'arbiter', 'governor'];
  const as = { mspId: 'PlatformMSP', name: 'everything', roles };
  const atMs = call === 'EscrowTrigger:triggerPayout' ? 10 ** 12 : 1000;
  const outcome = await runner.run(call, args, { as, atMs, key: `${call}/${index}` });
  expect([call, outcome]).toMatchObject([call, { kind: 'endorsed' }]);
  return [...log];
}

test.each(ways.map((way) => [way.at(-1)?.[0] ?? '', way] as const))(
  'on the way to %s no function reads what it wrote, and each sets one event',
  async (_, way) => {
    const log: Access[] = [];
    const runner = contractRunner(noted(log));
    const vote: [string, string[]] = ['EscrowTrigger:voteOnChallengeWindow', ['0', '1', '2']];
    for (const [index, [call, args]] of [vote, ...way].entries()) {
      const written: string[] = [];
      const all = await accesses(runner, log, call, args, index);
      for (const { kind, key } of all) {
        if (kind === 'write') written.push(key);
        if (kind === 'read') expect([call, written]).not.toEqual([call, expect.arrayContaining([key])]);
        if (kind === 'range') expect([call, written.filter((one) => one.startsWith(key))]).toEqual([call, []]);
      }
      expect([call, all.filter(({ kind }) => kind === 'event').length]).toEqual([call, 1]);
      expect([call, new Set(written).size]).toEqual([call, written.length]);
    }
  },
);
