import { limits, type Refusal } from '@assay/core';
import { expect, test } from 'vitest';
import { hashPassword } from './password.ts';
import { passwordGuard } from './password-guard.ts';

const scrypt = { cost: 16, blockSize: 1, parallelization: 1 };

test('wrong passwords count also where many are tried at once, and a right one forgives them', async () => {
  const guard = passwordGuard({ nowMs: () => 0 }, scrypt);
  const stored = await hashPassword('right', scrypt);
  const told = (password: string): Promise<boolean | string> =>
    guard.isRight('ada@example.org', password, stored).catch((error: Refusal) => error.code);
  const nine = Array.from({ length: limits.signInBurst - 1 }, () => told('wrong'));
  expect(new Set(await Promise.all(nine))).toEqual(new Set([false]));
  expect(await told('right')).toBe(true);
  const answers = await Promise.all(Array.from({ length: 3 * limits.signInBurst }, () => told('wrong')));
  expect(answers.filter((answer) => answer === false)).toHaveLength(limits.signInBurst);
  expect(answers.filter((answer) => answer === 'request.rate_limited')).toHaveLength(2 * limits.signInBurst);
  expect(await told('right')).toBe('request.rate_limited');
});
