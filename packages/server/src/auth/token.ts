/** Random secrets that are shown once and stored only as hashes. */

import { createHash, randomBytes } from 'node:crypto';

/** Prefixes make a leaked secret recognisable. */
export const tokenPrefixes = { session: 'ses', apiKey: 'ask', ticket: 'tkt' } as const;
export type TokenKind = keyof typeof tokenPrefixes;

/** 256 random bits, as `ask_…`. */
export function newToken(kind: TokenKind): string {
  return `${tokenPrefixes[kind]}_${randomBytes(32).toString('base64url')}`;
}

/** What the database keeps: SHA-256 suffices, since the secret has full entropy. */
export function hashToken(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}

/** Whether `text` is written as a token of `kind`. */
export function isToken(kind: TokenKind, text: string): boolean {
  return text.startsWith(`${tokenPrefixes[kind]}_`) && text.length === tokenPrefixes[kind].length + 44;
}
