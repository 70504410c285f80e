import { limits, type Refusal } from '@assay/core';
import type { Database } from '@assay/store';
import { expect, test } from 'vitest';
import { systemIds } from '../system-clock.ts';
import { openSignIn } from './sign-in.ts';

test('an unknown address waits for a full queue of passwords once, not for good', async () => {
  // Nobody has an account, and none can be stored.
  const db = { query: async () => [] } as unknown as Database;
  const scrypt = { cost: 2 ** 10, blockSize: 8, parallelization: 1 };
  const signIn = openSignIn({ db, ids: systemIds, clock: { nowMs: () => 0 }, scrypt });
  const codeOf = (address: string) =>
    signIn.withPassword('nobody@example.org', 'guess', address).then(
      () => 'in',
      (error: Refusal) => error.code,
    );
  const account = { email: 'new@example.org', password: 'correct horse battery', region: 'eu', roles: [] } as const;
  const flood = Array.from({ length: limits.passwordHashes + limits.passwordHashesWaiting }, () =>
    signIn.open(account),
  );
  expect(await codeOf('192.0.2.1')).toBe('request.rate_limited');
  await Promise.allSettled(flood);
  expect(await codeOf('192.0.2.2')).toBe('auth.wrong_credentials');
});
