/** What an attack is: data that one function runs against every driver and runtime. */

import type { Ending } from '@assay/core';

/** What a probe is written in: CPython in a container, or an interpreter in WebAssembly. */
export type Language = 'cpython' | 'pyodide' | 'r' | 'wasi';

export type Group =
  | 'files'
  | 'devices'
  | 'processes'
  | 'memory and disk'
  | 'logs'
  | 'outputs'
  | 'network'
  | 'kernel'
  | 'privileges'
  | 'proc and sys'
  | 'other jobs'
  | 'leaks'
  | 'host language';

/** How a sandbox may end the unit: 'exit', or what it was killed for. */
export type Expected = 'exit' | `killed: ${Extract<Ending, { kind: 'killed' }>['why']}`;

/**
 * The code prints a line that begins with ESCAPED, prints the canary's secret, or touches a canary where it gets
 * through. `{file}`, `{folder}`, `{tcp}` and the other canaries' names are filled in before it runs.
 */
export interface Probe {
  readonly id: string;
  readonly group: Group;
  readonly what: string;
  readonly code: Partial<Record<Language, string>>;
  /** Why a language without code cannot say it. */
  readonly without?: Partial<Record<Language, string>>;
  /** The endings that count as held, besides that nothing got through: `exit` where it is left out. */
  readonly expected?: readonly Expected[];
  /** Another unit runs beside it that holds the secret. */
  readonly neighbour?: boolean;
}

/** What a run of a probe showed. */
export interface Finding {
  readonly verdict: 'held' | 'escaped' | 'odd';
  /** The ending, what got through, or what was odd. */
  readonly how: string;
}

/** A probe for CPython only, with the reason why WebAssembly cannot say it. */
export function native(
  group: Group,
  id: string,
  what: string,
  code: string,
  expected: readonly Expected[] = ['exit'],
): Probe {
  const reason = 'WebAssembly has no system calls: the only way out is an import, see the host language group';
  return {
    id,
    group,
    what,
    code: { cpython: code },
    without: { pyodide: reason, r: reason, wasi: reason },
    expected,
  };
}

/** Fills the canaries' names in; each stands in braces. */
export function fill(code: string, names: Readonly<Record<string, string | number>>): string {
  return code.replaceAll(/\{([a-z]+)\}/g, (whole, name: string) => String(names[name] ?? whole));
}

/** Whether a text shows that a probe got through; a quoted source line in a traceback does not count. */
export function showsEscape(text: string, secret: string): string | undefined {
  if (text.includes(secret)) return 'printed the secret';
  const line = /^ESCAPED.*$/m.exec(text)?.[0];
  return line === undefined ? undefined : line.slice(0, 200);
}
