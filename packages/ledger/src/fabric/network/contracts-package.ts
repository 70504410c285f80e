/**
 * The package by which a peer knows its contract server: where it listens and the keys for the way there. Same input,
 * same bytes: the package's id is a hash over them.
 */

import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';

const firstLabel = 'assay_1';

/** What the peer's builder finds in the package. */
export interface ContractServerAddress {
  readonly address: string;
  /** PEM: the authority of both ends, and the peer's own key and certificate. */
  readonly rootCertificate: string;
  readonly clientKey: string;
  readonly clientCertificate: string;
}

export function contractsPackage(
  server: ContractServerAddress,
  label = firstLabel,
): { readonly id: string; readonly bytes: Buffer } {
  const connection = {
    address: server.address,
    dial_timeout: '10s',
    tls_required: true,
    client_auth_required: true,
    client_key: server.clientKey,
    client_cert: server.clientCertificate,
    root_cert: server.rootCertificate,
  };
  const code = compressed(tar([['connection.json', JSON.stringify(connection)]]));
  const bytes = compressed(
    tar([
      ['code.tar.gz', code],
      ['metadata.json', JSON.stringify({ type: 'ccaas', label })],
    ]),
  );
  return { id: `${label}:${createHash('sha256').update(bytes).digest('hex')}`, bytes };
}

/** zlib writes no time stamp, but it writes the operating system. */
function compressed(bytes: Buffer): Buffer {
  const zipped = gzipSync(bytes, { level: 9 });
  zipped[9] = 255;
  return zipped;
}

const block = 512;

/** A POSIX tar archive of regular files without owners or times. */
function tar(files: readonly (readonly [name: string, content: string | Buffer])[]): Buffer {
  const parts = files.flatMap(([name, content]) => {
    const body = Buffer.from(content);
    return [header(name, body.length), body, Buffer.alloc((block - (body.length % block)) % block)];
  });
  return Buffer.concat([...parts, Buffer.alloc(2 * block)]);
}

function octal(value: number, digits: number): string {
  return `${value.toString(8).padStart(digits, '0')}\0`;
}

function header(name: string, size: number): Buffer {
  const bytes = Buffer.alloc(block);
  bytes.write(name, 0);
  bytes.write(octal(0o644, 7), 100);
  bytes.write(octal(0, 7), 108);
  bytes.write(octal(0, 7), 116);
  bytes.write(octal(size, 11), 124);
  bytes.write(octal(0, 11), 136);
  bytes.write(' '.repeat(8), 148);
  bytes.write('0', 156);
  bytes.write('ustar\x0000', 257);
  const sum = bytes.reduce((total, byte) => total + byte, 0);
  bytes.write(`${octal(sum, 6)} `, 148);
  return bytes;
}

/** The three programs by which a peer takes such packages; it has none to run, so the peer dials the server. */
export const builderPrograms: Readonly<Record<'detect' | 'build' | 'release', string>> = {
  detect: `#!/bin/sh
grep -q '"type" *: *"ccaas"' "$2/metadata.json"
`,
  build: `#!/bin/sh
set -e
umask 077
cp "$1/connection.json" "$3/"
`,
  release: `#!/bin/sh
set -e
umask 077
mkdir -p "$2/chaincode/server"
cp "$1/connection.json" "$2/chaincode/server/"
`,
};
