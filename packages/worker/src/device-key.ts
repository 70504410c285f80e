/** The device's ed25519 key: made once, kept in a file that only its user can read. */

import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { mkdir, readFile, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Fault, type Sha256 } from '@assay/core';
import { writeDurably } from './durable-file.ts';

export interface DeviceKey {
  /** The raw public key, 64 hex digits. */
  readonly publicKey: string;
  /** The signature over the bytes, 128 hex digits. */
  readonly sign: (bytes: Uint8Array) => string;
}

/** SHA-256 by Node. */
export const sha256: Sha256 = (bytes) => createHash('sha256').update(bytes).digest();

/** The key in `path`, made where there is none. Faults `worker.key_unsafe` where others can read the file. */
export async function loadDeviceKey(path: string): Promise<DeviceKey> {
  let pem: string;
  try {
    pem = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    pem = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    await writeDurably(path, pem);
  }
  const { mode } = await stat(path);
  if ((mode & 0o077) !== 0) {
    throw new Fault('worker.key_unsafe', `other users can read the device key ${path}; chmod it to 0600`, {
      retry: false,
    });
  }
  return deviceKey(createPrivateKey(pem));
}

/** A device over a private key. */
export function deviceKey(key: KeyObject): DeviceKey {
  const spki = createPublicKey(key).export({ type: 'spki', format: 'der' });
  return {
    publicKey: spki.subarray(-32).toString('hex'),
    sign: (bytes) => sign(null, bytes, key).toString('hex'),
  };
}
