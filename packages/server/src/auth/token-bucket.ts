/** Token buckets in memory: how often something may happen. */

import type { Clock } from '@assay/core';

/** At most `burst` at once, refilled evenly over a minute at `perMinute`. */
export interface Allowance {
  readonly burst: number;
  readonly perMinute: number;
}

interface Bucket {
  tokens: number;
  atMs: number;
}

/** Buckets by key; the least recently used ones are forgotten beyond `keys`, which only errs on the side of letting in. */
export interface TokenBuckets {
  /** Takes `cost` tokens; else says in how many milliseconds there will be enough. */
  take(key: string, cost?: number): { readonly ok: true } | { readonly ok: false; readonly waitMs: number };
  /** Whether there is a token, without taking one. */
  has(key: string): boolean;
  /** Fills the bucket again. */
  reset(key: string): void;
}

/** Makes buckets that all share one allowance. */
export function tokenBuckets(clock: Clock, allowance: Allowance, keys: number): TokenBuckets {
  const buckets = new Map<string, Bucket>();
  const perMs = allowance.perMinute / 60_000;
  const filled = (key: string): Bucket => {
    const nowMs = clock.nowMs();
    const bucket = buckets.get(key) ?? { tokens: allowance.burst, atMs: nowMs };
    bucket.tokens = Math.min(allowance.burst, bucket.tokens + Math.max(0, nowMs - bucket.atMs) * perMs);
    bucket.atMs = nowMs;
    return bucket;
  };
  const keep = (key: string, bucket: Bucket): void => {
    buckets.delete(key);
    buckets.set(key, bucket);
    if (buckets.size <= keys) return;
    const [oldest] = buckets.keys();
    if (oldest !== undefined) buckets.delete(oldest);
  };
  return {
    take(key, cost = 1) {
      const bucket = filled(key);
      keep(key, bucket);
      if (bucket.tokens < cost) return { ok: false, waitMs: Math.ceil((cost - bucket.tokens) / perMs) };
      bucket.tokens -= cost;
      return { ok: true };
    },
    has: (key) => filled(key).tokens >= 1,
    reset: (key) => void buckets.delete(key),
  };
}
