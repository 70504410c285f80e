/** The files of the gateway's TLS: read with every check that can be made before somebody connects. */

import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto';
import { open, stat, type FileHandle } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import { isoTime, limits, refuse, type Refusal } from '@assay/core';
import { readClients, type ClientRow } from './client-table.ts';

/** Where the files lie. */
export interface TlsPaths {
  readonly certificate: string;
  readonly key: string;
  readonly authorities: string;
  readonly clients: string;
}

/** What those hold that the listener needs; the table of clients is read by itself. */
export interface TlsMaterial {
  readonly certificate: string;
  readonly key: string;
  /** Those that are valid now. */
  readonly authorities: readonly string[];
  /** Why the others of the file were left out, a sentence each. */
  readonly leftOut: readonly string[];
  /** When the first of the certificates ends. */
  readonly expiresMs: number;
}

/** What a file's mode must not allow to others: reading a key, or giving rights by writing the table. */
const closed = { key: 0o077, clients: 0o022, certificate: 0o022, authorities: 0o022 } as const;

/**
 * Reads all files but the table. Refuses `tls.unreadable`, `tls.key_unsafe`, `tls.malformed` and `tls.expired` with the
 * file's name. An authority that is not valid now is left out: the others' clients need not suffer for it.
 */
export async function readTlsFiles(paths: TlsPaths, nowMs: number): Promise<TlsMaterial> {
  const [certificate, key, authorities] = await Promise.all([
    readOne(paths.certificate, closed.certificate),
    readOne(paths.key, closed.key),
    readOne(paths.authorities, closed.authorities),
  ]);
  const chain = certificatesIn(certificate, paths.certificate);
  const issuers = certificatesIn(authorities, paths.authorities);
  const privateKey = keyIn(key, paths.key);
  if (chain[0]?.checkPrivateKey(privateKey) !== true) {
    throw malformed(paths.key, `is not the key of the certificate in ${paths.certificate}`);
  }
  const [ended] = outsideDates(chain, paths.certificate, nowMs);
  if (ended) throw ended.refusal;
  const refused = outsideDates(issuers, paths.authorities, nowMs);
  const valid = issuers.filter((issuer) => !refused.some(({ one }) => one === issuer));
  if (valid.length === 0 && refused[0]) throw refused[0].refusal;
  checkTogether(certificate, key, paths.certificate);
  return {
    certificate,
    key,
    authorities: valid.map((issuer) => issuer.toString()),
    leftOut: refused.map(({ refusal }) => refusal.message),
    expiresMs: Math.min(...[...chain, ...valid].map((one) => one.validToDate.getTime())),
  };
}

/** Reads the table of clients, which counts whatever is wrong with the other files. Refuses as `readTlsFiles` does. */
export async function readClientFile({ clients }: TlsPaths): Promise<ClientRow[]> {
  return readClients(await readOne(clients, closed.clients), clients);
}

/** Changes when one of the files does. */
export async function stampOf(paths: TlsPaths): Promise<string> {
  const files = [paths.certificate, paths.key, paths.authorities, paths.clients];
  const found = await Promise.all(files.map((path) => stat(path).catch(() => undefined)));
  return found.map((file) => (file ? `${file.ino} ${file.mtimeMs} ${file.ctimeMs} ${file.size}` : 'none')).join('\n');
}

/** Looks and reads through one handle, so that what was looked at is what is read. */
async function readOne(path: string, forbidden: number): Promise<string> {
  let file: FileHandle;
  try {
    file = await open(path, 'r');
  } catch (error) {
    throw unreadable(path, error);
  }
  try {
    const { mode, size } = await file.stat();
    if (size > limits.tlsFileBytes) throw malformed(path, `is larger than ${limits.tlsFileBytes} bytes`);
    if ((mode & forbidden) !== 0) {
      const how = forbidden === closed.key ? '0600' : '0644';
      throw refuse('tls.key_unsafe', `other users may use ${path}; chmod it to ${how}`, { path });
    }
    return await file.readFile('utf8');
  } catch (error) {
    throw error instanceof Error && 'errno' in error ? unreadable(path, error) : error;
  } finally {
    await file.close();
  }
}

function unreadable(path: string, error: unknown): Refusal {
  const { code } = error as NodeJS.ErrnoException;
  const why = { ENOENT: 'is not there', EACCES: 'may not be read by this user', EISDIR: 'is a folder' }[code ?? ''];
  return refuse('tls.unreadable', `${path} ${why ?? 'cannot be read'}`, { path });
}

function certificatesIn(text: string, path: string): X509Certificate[] {
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g) ?? [];
  if (blocks.length === 0) throw malformed(path, 'holds no certificate in PEM');
  return blocks.map((block) => {
    try {
      return new X509Certificate(block);
    } catch {
      throw malformed(path, 'holds a certificate that cannot be read');
    }
  });
}

function keyIn(text: string, path: string): KeyObject {
  try {
    return createPrivateKey(text);
  } catch {
    throw malformed(path, 'holds no private key in PEM, or one under a password');
  }
}

/** Those of the certificates that are not valid now, and what there is to say of each. */
function outsideDates(certificates: readonly X509Certificate[], path: string, nowMs: number) {
  return certificates.flatMap((one) => {
    const { subject, validFromDate, validToDate } = one;
    const told = (what: string, date: Date) =>
      refuse('tls.expired', `${path}: ${subject.replaceAll('\n', ',')} ${what} at ${isoTime(date.getTime())}`, {
        path,
      });
    if (validToDate.getTime() <= nowMs) return [{ one, refusal: told('ended', validToDate) }];
    return validFromDate.getTime() > nowMs ? [{ one, refusal: told('begins', validFromDate) }] : [];
  });
}

/** What OpenSSL itself has against them, such as a key that is too short. */
function checkTogether(cert: string, key: string, path: string): void {
  try {
    createSecureContext({ cert, key });
  } catch (error) {
    throw malformed(path, `is refused: ${error instanceof Error ? error.message : 'unknown'}`);
  }
}

function malformed(path: string, what: string): Refusal {
  return refuse('tls.malformed', `${path} ${what}`, { path });
}
