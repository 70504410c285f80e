/** What a worker's run of a unit gives: the truth, its own lie, or the lie that it shares with its accomplice. */

import { emptySha256, treeDigest, type Sha256Hex, type Tree } from '@assay/core';
import type { JobSpec, Offer } from '@assay/market';
import type { Prng } from './prng.ts';
import type { Temperament } from './scenario.ts';
import { textHash, type RunResult } from './simulated-device.ts';
import { sha256 } from './simulated-server.ts';

/** Words in the arguments of a job's code that say how it behaves. */
export const failing = 'fail';
export const uploading = 'upload';

export const metricName = 'pi';
export const tolerance = 0.5;

/** How often a rogue gives a wrong result. */
const lieRate = 0.6;

export interface Run {
  readonly result: RunResult;
  readonly isLie: boolean;
}

/** The run of an offer by a worker, `who` telling workers of one temperament apart. */
export function runUnit(offer: Offer, spec: JobSpec, temperament: Temperament, who: number, random: Prng): Run {
  const truth = offer.kind === 'merge' ? treeDigest(sha256, offer.inputs ?? []) : `unit ${offer.job} ${offer.ordinal}`;
  const voice = voiceOf(temperament, truth, who, random);
  const isMetric = spec.verification.type === 'metric' && offer.kind === 'work';
  const exitCode = voice.isLie || !spec.args.includes(failing) ? 0 : 3;
  const metrics = isMetric && exitCode === 0 ? JSON.stringify({ [metricName]: numberOf(voice, who) }) : null;
  const outputs = exitCode === 0 ? outputsOf(voice.says, metrics, spec.args.includes(uploading)) : [];
  const { job, unit, replica, machineClass } = offer;
  const nonce = Buffer.from(random.bytes(32)).toString('hex') as Sha256Hex;
  const digest = treeDigest(sha256, outputs);
  const result = { job, unit, replica, machineClass, nonce, digest, exitCode, outputs, metrics };
  return { result, isLie: voice.isLie };
}

interface Voice {
  readonly says: string;
  readonly isLie: boolean;
  /** Where the number lies, in tolerances from the truth. */
  readonly offset: number;
}

function voiceOf(temperament: Temperament, truth: string, who: number, random: Prng): Voice {
  const lies = random.chance(lieRate);
  if (temperament === 'liar' && lies)
    return { says: `lie of ${who} about ${truth}`, isLie: true, offset: 10 + 5 * who };
  // Accomplices agree beforehand about which units they lie, so they need no draw.
  if (temperament === 'colluder' && Number.parseInt(textHash(truth).slice(0, 2), 16) < 256 * lieRate) {
    return { says: `plot about ${truth}`, isLie: true, offset: -20 };
  }
  return { says: truth, isLie: false, offset: 0 };
}

/** Honest numbers differ a little, always by less than the tolerance. */
function numberOf(voice: Voice, who: number): number {
  return 3 + tolerance * (voice.offset + (who % 8) / 8);
}

function file(path: string, content: string): Tree[number] {
  return { path, sizeBytes: content.length, sha256: textHash(content) };
}

function outputsOf(text: string, metrics: string | null, uploads: boolean): Tree {
  // Empty files need no upload, so results without one differ by the name of theirs.
  const empty = { path: `out-${textHash(text).slice(0, 16)}.txt`, sizeBytes: 0, sha256: emptySha256 };
  const out = uploads ? file('out.txt', text) : empty;
  return metrics === null ? [out] : [file('metrics.json', metrics), out];
}
