/** What a machine has or lacks, and what its owner can do about it. */

import { paint, print } from '../terminal.ts';

export interface Finding {
  readonly what: string;
  /** `missing`: something works worse or not at all without it; `problem`: nothing works until it is mended. */
  readonly state: 'ok' | 'missing' | 'problem';
  /** What there is, or what follows from the lack. */
  readonly text: string;
  /** A command, or a step, that mends it. */
  readonly fix?: string;
}

/** Prints the findings, a line each, and the steps that would mend them. */
export function tellFindings(findings: readonly Finding[], json: boolean): void {
  if (json) {
    print(JSON.stringify(findings));
    return;
  }
  const mark = { ok: paint('green', '✓'), missing: paint('yellow', '–'), problem: paint('red', '✗') } as const;
  const width = Math.max(...findings.map(({ what }) => what.length));
  for (const { what, state, text, fix } of findings) {
    print(`${mark[state]} ${what.padEnd(width)} ${text}`);
    if (fix !== undefined) print(`  ${' '.repeat(width)} ${paint('dim', `→ ${fix}`)}`);
  }
}

/** Whether nothing stands in the way. */
export function allWell(findings: readonly Finding[]): boolean {
  return findings.every(({ state }) => state !== 'problem');
}
