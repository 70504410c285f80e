/**
 * How an object is encrypted at rest: a header (magic, salt), then frames of AES-256-GCM over 64 KiB of plain bytes each.
 * The nonce of a frame is its number and whether it is the last one (the STREAM construction of Hoang, Reyhanitabar,
 * Rogaway and Vizár, 2015), and each frame authenticates the header, so that cutting, reordering, swapping or appending
 * frames fails like a changed byte does. The key is an object's own, so that a nonce never repeats under it.
 */

import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { Fault } from '@assay/core';
import type { RegionKeys } from './keyring.ts';

const magic = Buffer.from('ASSAYOB1', 'latin1');
const saltBytes = 32;
const tagBytes = 16;

/** Bytes of the header before the first frame. */
export const headerBytes = magic.length + saltBytes;
/** Plain bytes of each frame but the last. */
export const frameBytes = 64 * 1024;
/** Bytes of a full frame in the file. */
export const sealedFrameBytes = frameBytes + tagBytes;

/** A fresh header with a random salt. */
export function newHeader(): Buffer {
  return Buffer.concat([magic, randomBytes(saltBytes)]);
}

/** How many plain bytes a file of `fileBytes` holds, or undefined when no object has that size. */
export function plainSize(fileBytes: number): number | undefined {
  const body = fileBytes - headerBytes;
  if (body < tagBytes) return undefined;
  const frames = Math.ceil(body / sealedFrameBytes);
  const last = body - (frames - 1) * sealedFrameBytes - tagBytes;
  // Only an empty object ends in an empty frame.
  if (last < 0 || (last === 0 && frames > 1)) return undefined;
  return (frames - 1) * frameBytes + last;
}

/** Encrypts frame after frame. */
export interface Sealer {
  /** The sealed form of the next frame; all but the last hold exactly `frameBytes`. */
  seal(plain: Uint8Array, last: boolean): Buffer;
}

/** A sealer under the key that `keys` derives from `header`. */
export function sealer(keys: RegionKeys, header: Uint8Array): Sealer {
  const key = keys.objectKey(header.subarray(magic.length));
  let index = 0;
  return {
    seal(plain, last) {
      const cipher = createCipheriv('aes-256-gcm', key, nonce(index, last));
      index += 1;
      cipher.setAAD(header);
      return Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
    },
  };
}

/** Decrypts frame after frame. */
export interface Opener {
  /** The plain bytes of the next frame; faults `object.corrupt`. */
  open(sealed: Uint8Array, last: boolean): Buffer;
}

/** An opener for a file that starts with `header`; faults `object.corrupt` where that is no header of ours. */
export function opener(keys: RegionKeys, header: Uint8Array): Opener {
  if (header.length !== headerBytes || !magic.equals(header.subarray(0, magic.length))) {
    throw corrupt('the file does not start like an object');
  }
  const key = keys.objectKey(header.subarray(magic.length));
  let index = 0;
  return {
    open(sealed, last) {
      if (sealed.length < tagBytes) throw corrupt('a frame is cut short');
      const decipher = createDecipheriv('aes-256-gcm', key, nonce(index, last));
      index += 1;
      decipher.setAAD(header);
      decipher.setAuthTag(sealed.subarray(sealed.length - tagBytes));
      try {
        return Buffer.concat([decipher.update(sealed.subarray(0, sealed.length - tagBytes)), decipher.final()]);
      } catch (cause) {
        throw corrupt('a frame does not authenticate', cause);
      }
    },
  };
}

/** The fault of stored bytes that are not what was stored. */
export function corrupt(why: string, cause?: unknown): Fault {
  return new Fault('object.corrupt', `a stored object failed its integrity check: ${why}`, { cause, retry: false });
}

function nonce(index: number, last: boolean): Buffer {
  const bytes = Buffer.alloc(12);
  bytes.writeUInt32BE(index, 7);
  bytes[11] = last ? 1 : 0;
  return bytes;
}
