/** The last steps of a simulation, to be read when it fails. */

export interface StepLog {
  add(line: string): void;
  /** The latest lines, oldest first. */
  lines(): readonly string[];
  /** Changes with every line: two runs of one seed have the same. */
  readonly fingerprint: number;
}

export const keptSteps = 40;

export function stepLog(nowMs: () => number, startMs: number): StepLog {
  const kept: string[] = [];
  let number = 0;
  let fingerprint = 0;
  return {
    add(text) {
      number += 1;
      const line = `${number} +${((nowMs() - startMs) / 1000).toFixed(3)}s ${text}`;
      for (let index = 0; index < line.length; index += 1) {
        fingerprint = (Math.imul(fingerprint, 31) + line.charCodeAt(index)) >>> 0;
      }
      kept.push(line);
      if (kept.length > keptSteps) kept.shift();
    },
    lines: () => kept,
    get fingerprint() {
      return fingerprint;
    },
  };
}
