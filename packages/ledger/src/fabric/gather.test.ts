import { Fault, type SubmissionOutcome } from '@assay/core';
import { expect, test } from 'vitest';
import { gather } from './gather.ts';

const refused: SubmissionOutcome = { kind: 'refused', code: 'job.not_found', message: 'none' };
const known: PromiseSettledResult<SubmissionOutcome> = { status: 'fulfilled', value: refused };
const failed = (reason: Error): PromiseSettledResult<SubmissionOutcome> => ({ status: 'rejected', reason });
const passing = new Fault('ledger.unavailable', 'away', { retry: true });
const lasting = new Fault('ledger.tampered', 'another chain', { retry: false });

test('one that the network did not take leaves the others their outcomes', () => {
  expect(gather([known, failed(passing), known])).toMatchObject([refused, { kind: 'conflict' }, refused]);
});

test('nothing to say is a failure', () => {
  expect(() => gather([failed(passing), failed(passing)])).toThrow(passing);
  expect(gather([])).toEqual([]);
});

test.each([lasting, new TypeError('a bug')])('what does not pass fails the call: %s', (reason) => {
  expect(() => gather([known, failed(passing), failed(reason)])).toThrow(reason);
});
