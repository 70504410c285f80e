/** The files of the gateway's TLS: read with every check that can be made before somebody connects. */

import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto';
import { open, type FileHandle } from 'node:fs/promises';
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

/** What they hold. */
export interface TlsMaterial {
  readonly certificate: string;
  readonly key: string;
  readonly authorities: readonly string[];
  readonly clients: readonly ClientRow[];
  /** When the first of the certificates ends. */
  readonly expiresMs: number;
  /** Changes when a file does. */
  readonly stamp: string;
}

/** What a file's mode must not allow to others: reading a key, or giving rights by writing the table. */
const closed = { key: 0o077, clients: 0o022, certificate: 0o022, authorities: 0o022 } as const;

/**
 * Reads all files. Refuses `tls.unreadable`, `tls.key_unsafe`, `tls.malformed` and `tls.expired` with the file's name.
 */
export async function readTlsFiles(paths: TlsPaths, nowMs: number): Promise<TlsMaterial> {
  const [certificate, key, authorities, clients] = await Promise.all([
    readOne(paths.certificate, closed.certificate),
    readOne(paths.key, closed.key),
    readOne(paths.authorities, closed.authorities),
    readOne(paths.clients, closed.clients),
  ]);
  const chain = certificatesIn(certificate.text, paths.certificate);
  const issuers = certificatesIn(authorities.text, paths.authorities);
  const privateKey = keyIn(key.text, paths.key);
  if (chain[0]?.checkPrivateKey(privateKey) !== true) {
    throw malformed(paths.key, `is not the key of the certificate in ${paths.certificate}`);
  }
  checkDates(chain, paths.certificate, nowMs);
  checkDates(issuers, paths.authorities, nowMs);
  checkTogether(certificate.text, key.text, paths.certificate);
  return {
    certificate: certificate.text,
    key: key.text,
    authorities: issuers.map((issuer) => issuer.toString()),
    clients: readClients(clients.text, paths.clients),
    expiresMs: Math.min(...[...chain, ...issuers].map((one) => one.validToDate.getTime())),
    stamp: [certificate, key, authorities, clients].map(({ stamp }) => stamp).join('\n'),
  };
}

interface ReadFile {
  readonly text: string;
  readonly stamp: string;
}

/** Looks and reads through one handle, so that what was looked at is what is read. */
async function readOne(path: string, forbidden: number): Promise<ReadFile> {
  let file: FileHandle;
  try {
    file = await open(path, 'r');
  } catch (error) {
    throw unreadable(path, error);
  }
  try {
    const { mode, size, mtimeMs, ino } = await file.stat();
    if (size > limits.tlsFileBytes) throw malformed(path, `is larger than ${limits.tlsFileBytes} bytes`);
    if ((mode & forbidden) !== 0) {
      const how = forbidden === closed.key ? '0600' : '0644';
      throw refuse('tls.key_unsafe', `other users may use ${path}; chmod it to ${how}`, { path });
    }
    const text = await file.readFile('utf8');
    return { text, stamp: `${path} ${ino} ${mtimeMs} ${size}` };
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

function checkDates(certificates: readonly X509Certificate[], path: string, nowMs: number): void {
  for (const { subject, validFromDate, validToDate } of certificates) {
    const name = subject.replaceAll('\n', ',');
    if (validToDate.getTime() <= nowMs) {
      throw refuse('tls.expired', `${path}: ${name} ended at ${isoTime(validToDate.getTime())}`, { path });
    }
    if (validFromDate.getTime() > nowMs) {
      throw refuse('tls.expired', `${path}: ${name} begins at ${isoTime(validFromDate.getTime())}`, { path });
    }
  }
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
