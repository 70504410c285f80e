/** One line of the audit log: a JSON object that carries its number and the hash of the line before it. */

import { createHash } from 'node:crypto';
import type { Ending, NetworkTarget, SandboxLimits, Usage } from '@assay/core';

/** What is written before a unit starts. */
export interface StartEntry {
  readonly kind: 'start';
  readonly label: string;
  readonly driver: string;
  readonly runner: string;
  /** Of the image or runtime, as the driver reports it; null where it reports none for the runner. */
  readonly digest: string | null;
  /** What the driver says that it guarantees; null where it says nothing. */
  readonly holds: string | null;
  readonly entryPoint: string;
  readonly args: readonly string[];
  readonly limits: SandboxLimits;
  readonly network: readonly NetworkTarget[];
}

/** What is written when a unit is gone. */
export interface EndEntry {
  readonly kind: 'end';
  /** The number of the line that says that it started. */
  readonly start: number;
  readonly label: string;
  readonly ending: Ending | { readonly kind: 'refused'; readonly code: string };
  readonly usage: (Usage & { readonly source: 'cgroup' | 'process' }) | null;
  readonly signal: string | null;
  readonly outOfMemory: boolean;
  readonly breach: string | null;
  /** The first ones; `connectionCount` counts all. */
  readonly connections: readonly (NetworkTarget & { readonly allowed: boolean; readonly bytes: number })[];
  readonly connectionCount: number;
  readonly outputs: number;
  readonly outputBytes: number;
}

/** What the log says about itself. */
type OwnEntry =
  /** The process that ran the unit died with it. */
  | { readonly kind: 'lost'; readonly start: number; readonly label: string }
  /** The last line of a process that died was not whole. */
  | { readonly kind: 'torn'; readonly bytes: number; readonly sha256: string }
  /** Days were removed whole; the first line that is left follows line `last`, whose hash is `lastHash`. */
  | { readonly kind: 'purged'; readonly last: number; readonly lastHash: string; readonly why: 'age' | 'size' };

export type AuditEntry = StartEntry | EndEntry | OwnEntry;

export type AuditLine = AuditEntry & {
  /** 1 for the first line ever. */
  readonly n: number;
  /** SHA-256 of the line before it, without its line feed; zeros before the first. */
  readonly prev: string;
  readonly at: string;
};

/** Where a chain stands: its last line's number and hash. */
export interface ChainPoint {
  readonly n: number;
  readonly hash: string;
}

export const genesis: ChainPoint = { n: 0, hash: '0'.repeat(64) };

/** The text of the line that follows `point`, and where the chain stands after it. */
export function nextLine(point: ChainPoint, atMs: number, entry: AuditEntry): { text: string; point: ChainPoint } {
  const line: AuditLine = { n: point.n + 1, prev: point.hash, at: new Date(atMs).toISOString(), ...entry };
  const text = JSON.stringify(line);
  return { text, point: { n: line.n, hash: hashOfLine(text) } };
}

export function hashOfLine(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** The line in a text, undefined where it is none. */
export function parseLine(text: string): AuditLine | undefined {
  try {
    const line = JSON.parse(text) as Partial<AuditLine> | null;
    const sound = Number.isSafeInteger(line?.n) && typeof line?.prev === 'string' && typeof line.kind === 'string';
    return sound ? (line as AuditLine) : undefined;
  } catch {
    return undefined;
  }
}
