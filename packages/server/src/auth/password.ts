/** Passwords are kept as scrypt hashes (RFC 7914) with their parameters, so that those can be raised later. */

import { randomBytes, scrypt, timingSafeEqual, type ScryptOptions } from 'node:crypto';

/** The cost of one hash: memory is `128 × cost × blockSize` bytes. */
export interface ScryptCost {
  readonly cost: number;
  readonly blockSize: number;
  readonly parallelization: number;
}

/** OWASP's recommendation of 2025 for scrypt: 32 MiB, three lanes. */
export const standardCost: ScryptCost = { cost: 2 ** 15, blockSize: 8, parallelization: 3 };

const saltBytes = 16;
const hashBytes = 32;

/** `scrypt$cost$blockSize$parallelization$salt$hash`, the last two in base64url. */
export async function hashPassword(password: string, by: ScryptCost = standardCost): Promise<string> {
  const salt = randomBytes(saltBytes);
  const hash = await derive(password, salt, hashBytes, by);
  const parts = [by.cost, by.blockSize, by.parallelization, salt.toString('base64url'), hash.toString('base64url')];
  return `scrypt$${parts.join('$')}`;
}

/** Whether `password` is the one that `stored` was made of. */
export async function checkPassword(password: string, stored: string): Promise<boolean> {
  const [scheme, cost, blockSize, parallelization, salt, hash] = stored.split('$');
  if (scheme !== 'scrypt' || salt === undefined || hash === undefined) return false;
  const expected = Buffer.from(hash, 'base64url');
  const by = { cost: Number(cost), blockSize: Number(blockSize), parallelization: Number(parallelization) };
  const found = await derive(password, Buffer.from(salt, 'base64url'), expected.length, by);
  return expected.length > 0 && timingSafeEqual(found, expected);
}

/** NFKC, so that the same password typed on another system is the same bytes. */
function derive(password: string, salt: Buffer, length: number, by: ScryptCost): Promise<Buffer> {
  const maxmem = 2 ** 20 + 128 * by.blockSize * (by.cost + by.parallelization + 2);
  const options: ScryptOptions = { ...by, maxmem };
  return new Promise((resolve, reject) => {
    scrypt(password.normalize('NFKC'), salt, length, options, (error, hash) => (error ? reject(error) : resolve(hash)));
  });
}
