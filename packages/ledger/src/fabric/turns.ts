/** Whose turn it is among several peers: one is used until it fails, then the next, and an own one again when it is back. */

export interface Turns {
  /** A number that changes when another peer is taken. */
  readonly turn: number;
  /** Which peer is in use. */
  readonly index: number;
  /** Whether that one is an own one, or there are none. */
  readonly isOwn: boolean;
  /** Takes the next peer, unless somebody did since `turn`. */
  failOver(turn: number): void;
  /** Takes the first own peer that `answers`; false where none does. */
  goHome(answers: (index: number) => Promise<boolean>): Promise<boolean>;
}

/** Turns among peers, of which `own` says for each whether it is an own one. */
export function openTurns(own: readonly boolean[]): Turns {
  const count = Math.max(own.length, 1);
  const homes = own.flatMap((isOwn, index) => (isOwn ? [index] : []));
  let turn = 0;
  return {
    get turn() {
      return turn;
    },
    get index() {
      return turn % count;
    },
    get isOwn() {
      return homes.length === 0 || homes.includes(turn % count);
    },
    failOver(seen) {
      if (seen === turn) turn += 1;
    },
    async goHome(answers) {
      for (const index of homes) {
        if (!(await answers(index))) continue;
        // Turns only go forward, so that no number stands for two of them.
        if (!homes.includes(turn % count)) turn += (index - (turn % count) + count) % count;
        return true;
      }
      return false;
    },
  };
}
