/** Which client certificate is which account: a file that the operator writes. */

import { limits, refuse } from '@assay/core';
import type { Scope } from '../api/routes/route.ts';
import { scopeNames } from '../api/schemas/account.ts';

/** A client as the file names it: by the fingerprint of its certificate, or by its subject. */
export interface ClientRow {
  /** E-mail address of the account whose roles count. */
  readonly account: string;
  readonly scopes: readonly Scope[];
  readonly by: { readonly fingerprint: string } | { readonly subject: string };
}

/** Who shows a certificate. */
export interface PeerCertificate {
  /** SHA-256 over the DER, lower-case hex. */
  readonly fingerprint: string;
  /** `CN=erp,O=Example`: its parts in the order of the certificate. */
  readonly subject: string;
}

const members = new Set(['fingerprint', 'subject', 'account', 'scopes']);

/** Reads the file; refuses `tls.malformed` with the row that is wrong. */
export function readClients(text: string, path: string): ClientRow[] {
  const rows = rowsIn(text, path);
  if (rows.length > limits.tlsClients) throw malformed(path, `names more than ${limits.tlsClients} clients`);
  const clients = rows.map((row, index) => clientOf(row, `${path}, client ${index}`));
  const names = clients.map(({ by }) => JSON.stringify(by));
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw malformed(path, `names ${twice} twice`);
  return clients;
}

/** The client that a certificate belongs to; a fingerprint says more than a subject. */
export function clientFor(clients: readonly ClientRow[], peer: PeerCertificate): ClientRow | undefined {
  const byFingerprint = clients.find(({ by }) => 'fingerprint' in by && by.fingerprint === peer.fingerprint);
  return byFingerprint ?? clients.find(({ by }) => 'subject' in by && by.subject === peer.subject);
}

function rowsIn(text: string, path: string): readonly unknown[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw malformed(path, 'is not JSON');
  }
  const { clients, ...rest } = (value ?? {}) as { clients?: unknown };
  if (!Array.isArray(clients) || Object.keys(rest).length > 0) throw malformed(path, 'must be {"clients": [...]}');
  return clients as unknown[];
}

function clientOf(row: unknown, where: string): ClientRow {
  if (typeof row !== 'object' || row === null || Array.isArray(row)) throw malformed(where, 'must be an object');
  const given = row as Record<string, unknown>;
  const strange = Object.keys(given).find((key) => !members.has(key));
  if (strange !== undefined) throw malformed(where, `has the unknown key ${JSON.stringify(strange)}`);
  const { account, scopes = ['ledger'] } = given;
  if (typeof account !== 'string' || !/^[^@\s]+@[^@\s]+$/.test(account)) {
    throw malformed(where, 'needs the `account`’s e-mail address');
  }
  if (!Array.isArray(scopes) || scopes.length === 0) throw malformed(where, '`scopes` must be a list');
  const known = scopes.map((scope) => scopeNames.find((name) => name === scope));
  if (known.includes(undefined)) throw malformed(where, `knows the scopes ${scopeNames.join(', ')}`);
  return { account, scopes: known.filter((scope) => scope !== undefined), by: keyOf(given, where) };
}

function keyOf({ fingerprint, subject }: Record<string, unknown>, where: string): ClientRow['by'] {
  if ((fingerprint === undefined) === (subject === undefined)) {
    throw malformed(where, 'needs either a `fingerprint` or a `subject`');
  }
  if (fingerprint !== undefined) {
    const hex = typeof fingerprint === 'string' ? fingerprint.replaceAll(':', '').toLowerCase() : '';
    if (!/^[0-9a-f]{64}$/.test(hex)) throw malformed(where, '`fingerprint` is a SHA-256 in hex');
    return { fingerprint: hex };
  }
  if (typeof subject !== 'string' || !/^[A-Za-z0-9.]+=[^\n]+$/.test(subject)) {
    throw malformed(where, '`subject` is written CN=name,O=organization');
  }
  return { subject };
}

function malformed(where: string, what: string): Error {
  return refuse('tls.malformed', `${where} ${what}`, {});
}
