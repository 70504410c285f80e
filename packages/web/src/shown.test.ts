import type { ReceiptVerdict } from '@assay/verify';
import { expect, test } from 'vitest';
import { receiptOf } from './shown.ts';

test('a receipt counts for its own job only', () => {
  const holds = { ok: true, summary: { job: 'job_1' }, checks: [] } as unknown as ReceiptVerdict;
  expect(receiptOf('job_1', holds)).toBe(holds);
  expect(receiptOf('job_2', holds)).toMatchObject({ ok: false, message: 'the receipt is that of job_1' });
  const fails: ReceiptVerdict = { ok: false, part: 'terms', code: 'receipt.invalid', message: 'no' };
  expect(receiptOf('job_2', fails)).toBe(fails);
});
