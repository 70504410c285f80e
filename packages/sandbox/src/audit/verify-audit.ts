/** Reads an audit log back and says whether a line was changed, removed, put in, moved or cut off. */

import { dayPath, daysIn, linesOf, readHead } from './audit-files.ts';
import { genesis, hashOfLine, parseLine, type AuditLine, type ChainPoint } from './audit-line.ts';

export interface AuditProblem {
  /** The day's file and the line in it, `2026-11-21.jsonl:7`, or `head.json`. */
  readonly where: string;
  readonly what: string;
}

export interface AuditReport {
  readonly lines: number;
  readonly starts: number;
  /** Starts that have no end yet: they run, or their process died and nobody has opened the log since. */
  readonly open: number;
  readonly problems: readonly AuditProblem[];
  /** What to keep elsewhere: whoever can write the folder can also write another head. */
  readonly head: ChainPoint;
}

/** Every line with its place, oldest first. Lines that are no JSON are passed over. */
export async function* readAudit(folder: string): AsyncGenerator<{ line: AuditLine; where: string }> {
  for (const day of await daysIn(folder)) {
    for await (const { text, line } of linesOf(dayPath(folder, day))) {
      const parsed = parseLine(text);
      if (parsed) yield { line: parsed, where: `${day}.jsonl:${line}` };
    }
  }
}

/** Walks the whole chain. `kept` is a head that was written down earlier and must lie on it. */
export async function verifyAudit(folder: string, kept?: ChainPoint): Promise<AuditReport> {
  const problems: AuditProblem[] = [];
  const add = (where: string, what: string): void => {
    problems.push({ where, what });
  };
  // Read first: lines that are written meanwhile only lead on from it.
  const head = await readHead(folder);
  const walk = walker(add, [head?.n, kept?.n]);
  for (const day of await daysIn(folder)) {
    for await (const { text, line, whole } of linesOf(dayPath(folder, day))) {
      // A process that dies in the middle of its last line leaves it so; the next one to open the log says it.
      if (whole) walk.take(text, `${day}.jsonl:${line}`);
    }
  }
  const result = walk.end();
  const { n } = result.head;
  if (head === undefined) {
    if (n > 0) add('head.json', 'is missing or cannot be read');
  } else if (head.n > n) add('head.json', `counts ${head.n} lines, the last one there is ${n}: the end was cut off`);
  else if (walk.hashAt(head.n) !== head.hash) add('head.json', `names another line ${head.n}: it was written anew`);
  if (kept && walk.hashAt(kept.n) !== kept.hash) {
    add('head.json', `the line ${kept.n} that was kept elsewhere is not the one that stands here`);
  }
  return { ...result, problems };
}

/** Follows the chain line by line and remembers the hashes of the lines in `watched`. */
function walker(add: (where: string, what: string) => void, watched: readonly (number | undefined)[]) {
  let point: ChainPoint | undefined;
  let before = 'the beginning';
  let lines = 0;
  let starts = 0;
  let first: { readonly follows: ChainPoint; readonly where: string } | undefined;
  const anchors: ChainPoint[] = [genesis];
  const open = new Set<number>();
  const seen = new Map<number, string>([[0, genesis.hash]]);
  const note = (line: AuditLine) => {
    lines += 1;
    if (line.kind === 'start') {
      starts += 1;
      open.add(line.n);
    }
    if (line.kind === 'end' || line.kind === 'lost') open.delete(line.start);
    if (line.kind === 'purged') anchors.push({ n: line.last, hash: line.lastHash });
  };
  return {
    take(text: string, where: string): void {
      const line = parseLine(text);
      if (!line) return add(where, 'is not a line of this log');
      if (point === undefined) first = { follows: { n: line.n - 1, hash: line.prev }, where };
      else if (line.n <= point.n) return add(where, `has number ${line.n} after ${point.n}: it was put in or moved`);
      else if (line.n > point.n + 1) add(where, `lines ${point.n + 1} to ${line.n - 1} before it are missing`);
      else if (line.prev !== point.hash) add(before, 'was changed: the line after it carries another hash');
      point = { n: line.n, hash: hashOfLine(text) };
      before = where;
      if (watched.includes(line.n)) seen.set(line.n, point.hash);
      note(line);
    },
    end() {
      const known = anchors.some((anchor) => anchor.n === first?.follows.n && anchor.hash === first.follows.hash);
      if (first && !known) add(first.where, `what stood before it, up to line ${first.follows.n}, is missing`);
      return { lines, starts, open: open.size, head: point ?? genesis };
    },
    hashAt: (n: number): string | undefined => seen.get(n),
  };
}
