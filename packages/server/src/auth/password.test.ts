import { describe, expect, test } from 'vitest';
import { checkPassword, hashPassword, standardCost } from './password.ts';
import { hashToken, isToken, newToken } from './token.ts';

const cheap = { cost: 16, blockSize: 1, parallelization: 1 };

describe('passwords', () => {
  test('are known by their hash only', async () => {
    const stored = await hashPassword('correct horse', cheap);
    expect(stored).not.toContain('horse');
    expect(await checkPassword('correct horse', stored)).toBe(true);
    expect(await checkPassword('correct horsf', stored)).toBe(false);
    expect(await hashPassword('correct horse', cheap)).not.toBe(stored);
  });

  test('are the same however their characters are composed', async () => {
    const stored = await hashPassword('Å\u00e9', cheap);
    expect(await checkPassword('A\u030ae\u0301', stored)).toBe(true);
  });

  test('are checked with the parameters that they were hashed with', async () => {
    const stored = await hashPassword('correct horse', { cost: 32, blockSize: 2, parallelization: 2 });
    expect(stored).toMatch(/^scrypt\$32\$2\$2\$/);
    expect(await checkPassword('correct horse', stored)).toBe(true);
    expect(await checkPassword('correct horse', stored.replace('$32$', '$16$'))).toBe(false);
  });

  test.each(['', 'plain', 'md5$1$1$1$aa$bb', 'scrypt$16$1$1$aa'])('a stored %j admits nobody', async (stored) => {
    expect(await checkPassword('', stored)).toBe(false);
  });

  test('take 32 MiB and three lanes by default', () => {
    expect(128 * standardCost.cost * standardCost.blockSize).toBe(32 * 1024 * 1024);
    expect(standardCost.parallelization).toBe(3);
  });
});

describe('tokens', () => {
  test('are long, of one kind, and stored as SHA-256', () => {
    const token = newToken('apiKey');
    expect(isToken('apiKey', token)).toBe(true);
    expect(isToken('session', token)).toBe(false);
    expect(token).toMatch(/^ask_[\w-]{43}$/);
    expect(newToken('apiKey')).not.toBe(token);
    expect(hashToken('abc')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
  });
});
