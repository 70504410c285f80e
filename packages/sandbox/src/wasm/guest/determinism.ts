/** Entropy and clock of the unit: the machine's, or pinned where the manifest asks for reproducible runs. */

import { createHash, randomFillSync } from 'node:crypto';

/** Each reading of a pinned clock advances it by this much, so that waiting loops end. */
const tickMs = 0.1;

/** What a manifest may pin. */
export interface Pins {
  readonly randomSeed: number | null;
  readonly epochMs: number | null;
}

export interface Sources {
  /** Milliseconds since 1970, or milliseconds that only grow. */
  clock(kind: 'real' | 'monotonic'): number;
  /** Whether the clock moves only by being read. */
  isPinned(): boolean;
  randomFill(bytes: Uint8Array): void;
  /** Entropy becomes SHA-256 in counter mode over `seed`; the clock starts at 1970 and moves only by being read. */
  pin(seed: string): void;
  /** From the beginning: what the unit's manifest pins, and the machine's where it pins nothing. */
  pinFor(unit: Pins): void;
}

function elapsed(clock: { ticks: number }): number {
  clock.ticks += 1;
  return clock.ticks * tickMs;
}

/** Takes over the clock globals that the interpreter reads. */
export function sources(): Sources {
  const realDate = Date.now;
  const realMonotonic = performance.now.bind(performance);
  let seed: string | undefined;
  let counter = 0;
  let pinned: { epochMs: number; ticks: number } | undefined;
  const clocks = {
    real: () => (pinned ? Math.floor(pinned.epochMs + elapsed(pinned)) : realDate()),
    monotonic: () => (pinned ? elapsed(pinned) : realMonotonic()),
  };
  Date.now = clocks.real;
  // The interpreters' glue also dates by `new Date`, pipes for one.
  const dated = new Proxy(Date, {
    construct: (target, parts: unknown[], made) =>
      Reflect.construct(target, parts.length === 0 ? [clocks.real()] : parts, made) as object,
    apply: (target) => new target(clocks.real()).toString(),
  });
  // oxlint-disable-next-line no-extend-native -- else the first Date could be had from any date
  Object.defineProperty(Date.prototype, 'constructor', { value: dated });
  globalThis.Date = dated;
  performance.now = clocks.monotonic;
  return {
    clock: (kind) => clocks[kind](),
    isPinned: () => pinned !== undefined,
    randomFill(bytes) {
      if (seed === undefined) {
        for (let at = 0; at < bytes.length; at += 65_536) randomFillSync(bytes.subarray(at, at + 65_536));
        return;
      }
      for (let at = 0; at < bytes.length; at += 32) {
        const block = createHash('sha256').update(`${seed}\n${counter}`).digest();
        counter += 1;
        bytes.set(block.subarray(0, Math.min(32, bytes.length - at)), at);
      }
    },
    pin(value) {
      seed = value;
      counter = 0;
      pinned = { epochMs: 0, ticks: 0 };
    },
    pinFor(unit) {
      seed = unit.randomSeed === null ? undefined : `unit ${unit.randomSeed}`;
      counter = 0;
      pinned = unit.epochMs === null ? undefined : { epochMs: unit.epochMs, ticks: 0 };
    },
  };
}
