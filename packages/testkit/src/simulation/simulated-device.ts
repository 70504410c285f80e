/** A device: its key, made from the seed, and the requests that it signs. */

import { createPrivateKey, createPublicKey, sign, type KeyObject } from 'node:crypto';
import {
  envelopeText,
  newId,
  statementsRoot,
  toHex,
  utf8,
  type IdSource,
  type JobId,
  type ReplicaId,
  type ResultStatement,
  type Sha256Hex,
  type Tree,
  type UnitId,
  type WorkerId,
} from '@assay/core';
import type { SignedHeaders } from '@assay/market';
import { sha256 } from './simulated-server.ts';

export interface Device {
  readonly id: WorkerId;
  readonly key: KeyObject;
  /** Hex. */
  readonly publicKey: string;
}

/** DER of an ed25519 private key up to the seed itself (RFC 8410). */
const pkcs8Prefix = Buffer.from('302e020100300506032b657004220420', 'hex');

export function deviceOf(id: WorkerId, seed: Uint8Array): Device {
  const key = createPrivateKey({ key: Buffer.concat([pkcs8Prefix, seed]), format: 'der', type: 'pkcs8' });
  const publicKey = createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(-32).toString('hex');
  return { id, key, publicKey };
}

/** A finished run. */
export interface RunResult {
  readonly job: JobId;
  readonly unit: UnitId;
  readonly replica: ReplicaId;
  readonly machineClass: string;
  readonly nonce: Sha256Hex;
  readonly digest: Sha256Hex;
  readonly exitCode: number;
  readonly outputs: Tree;
  readonly metrics: string | null;
}

export interface Saying {
  readonly commits: readonly { readonly replica: ReplicaId; readonly commitment: Sha256Hex }[];
  readonly reveals: readonly RunResult[];
  readonly failures: readonly { readonly replica: ReplicaId; readonly reason: string }[];
  readonly running: readonly ReplicaId[];
  readonly claim: number;
}

/** A request as it travels; sending it again changes nothing. */
export interface Letter {
  readonly saying: Saying;
  readonly headers: SignedHeaders;
  readonly raw: Uint8Array;
}

export function writeLetter(device: Device, saying: Saying, sentAtMs: number, ids: IdSource): Letter {
  const { commits, failures, running, claim } = saying;
  const reveals = saying.reveals.map(({ replica, nonce, exitCode, outputs, metrics }) => ({
    replica,
    nonce,
    exitCode,
    outputs,
    usage: { wallMs: 5, cpuMs: 4, peakBytes: 1000 },
    ...(metrics === null ? {} : { metrics }),
  }));
  const raw = Buffer.from(JSON.stringify({ commits, reveals, failures, running, claim, waitMs: 0 }));
  const statements = saying.reveals.map((result) => statementOf(device.id, result));
  const envelope = {
    worker: device.id,
    request: newId('request', ids),
    sentAtMs,
    statementsRoot: statementsRoot(sha256, commits, statements),
    bodySha256: toHex(sha256(raw)) as Sha256Hex,
  };
  const signature = sign(null, utf8(envelopeText(envelope)), device.key).toString('hex');
  const headers: SignedHeaders = {
    worker: device.id,
    request: envelope.request,
    sentAt: String(sentAtMs),
    root: envelope.statementsRoot,
    signature,
    ip: '127.0.0.1',
  };
  return { saying, headers, raw };
}

function statementOf(worker: WorkerId, result: RunResult): ResultStatement {
  const { job, unit, replica, machineClass, digest, exitCode } = result;
  const metrics = result.metrics === null ? null : textHash(result.metrics);
  return { job, unit, replica, worker, machineClass, digest, exitCode, metrics };
}

export function textHash(text: string): Sha256Hex {
  return toHex(sha256(utf8(text))) as Sha256Hex;
}
