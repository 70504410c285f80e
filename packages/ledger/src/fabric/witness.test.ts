import { limits } from '@assay/core';
import type { ChaincodeStub } from 'fabric-shim-api';
import { expect, test } from 'vitest';
import { timestampOf } from '../fabric-runtime.ts';
import { witnessed } from './witness.ts';

const ownMs = 1_800_000_000_000;
const endorser = witnessed(
  { Invoke: async () => ({ status: 200, message: '', payload: new Uint8Array(0) }) },
  { nowMs: () => ownMs },
);

test.each([
  [0, 200],
  [limits.fabricClockSkewMs, 200],
  [-limits.fabricClockSkewMs, 200],
  [limits.fabricClockSkewMs + 1, 500],
  [-limits.fabricClockSkewMs - 1, 500],
  [24 * 3_600_000, 500],
])('a proposal whose clock is off by %i ms is answered with %i', async (offMs, status) => {
  const stub = { getTxTimestamp: () => timestampOf(ownMs + offMs) } as unknown as ChaincodeStub;
  const answer = await endorser.Invoke(stub);
  expect(answer.status).toBe(status);
  if (status === 500) expect(answer.message).toMatch(/^escrow\.window_open: /);
});

const unstamped = (): never => {
  throw new TypeError('no time stamp');
};

test('a proposal without a time stamp is refused, and ends nothing', async () => {
  const answer = await endorser.Invoke({ getTxTimestamp: unstamped } as unknown as ChaincodeStub);
  expect(answer).toMatchObject({ status: 500, message: expect.stringMatching(/^request\.malformed: /) });
});
