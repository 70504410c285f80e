/** Where every choice of a simulation comes from: one seed, one sequence. */

export interface Prng {
  /** A whole number from 0 to `count` - 1. */
  below(count: number): number;
  /** A whole number from `least` to `most`. */
  between(least: number, most: number): number;
  chance(probability: number): boolean;
  pick<T>(list: readonly T[]): T;
  bytes(count: number): Uint8Array;
}

/** The sequence of `seed` (sfc32 by Chris Doty-Humphrey). */
export function prngOf(seed: number): Prng {
  const state = new Uint32Array([seed, Math.floor(seed / 2 ** 32), 0x9e3779b9, 1]);
  const next = (): number => {
    const [a = 0, b = 0, c = 0, counter = 0] = state;
    const result = (a + b + counter) >>> 0;
    state[3] = counter + 1;
    state[0] = b ^ (b >>> 9);
    state[1] = c + (c << 3);
    state[2] = ((c << 21) | (c >>> 11)) + result;
    return result;
  };
  for (let warming = 0; warming < 12; warming += 1) next();
  const prng: Prng = {
    below: (count) => Math.floor((next() / 2 ** 32) * count),
    between: (least, most) => least + prng.below(most - least + 1),
    chance: (probability) => next() / 2 ** 32 < probability,
    pick(list) {
      const one = list[prng.below(list.length)];
      if (one === undefined) throw new Error('nothing to pick from');
      return one;
    },
    bytes: (count) => Uint8Array.from({ length: count }, () => prng.below(256)),
  };
  return prng;
}
