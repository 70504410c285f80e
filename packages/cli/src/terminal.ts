/** What the command prints: plain lines, aligned columns, colour only where a terminal shows it. */

const colours = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, cyan: 36 } as const;
export type Colour = keyof typeof colours;

export function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

export function printError(line: string): void {
  process.stderr.write(`${line}\n`);
}

export function isTerminal(): boolean {
  return process.stdout.isTTY;
}

/** `text` in a colour on a terminal that has colours, else as it is. */
export function paint(colour: Colour, text: string): string {
  if (!process.stdout.isTTY || !process.stdout.hasColors()) return text;
  return `\u001b[${colours[colour]}m${text}\u001b[0m`;
}

/** Rows in columns as wide as their widest cell; the last column is not padded. */
export function columns(rows: readonly (readonly string[])[], indent = '  '): string {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [index, cell] of row.entries()) widths[index] = Math.max(widths[index] ?? 0, cell.length);
  }
  const lines = rows.map((row) =>
    row.map((cell, index) => (index === row.length - 1 ? cell : cell.padEnd(widths[index] ?? 0))).join('  '),
  );
  return lines.map((line) => `${indent}${line}`.trimEnd()).join('\n');
}

/** A word of a command line that people may copy into a shell. */
export function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) && !text.includes('..')
    ? text
    : `'${plain(text).replaceAll("'", String.raw`'\''`)}'`;
}

/** Drops control characters, which a stranger's job could use to repaint the reader's terminal. */
export function plain(text: string): string {
  // eslint-disable-next-line no-control-regex
  return text.replaceAll(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, '�');
}

/** One line that is rewritten in place on a terminal and printed when it changes elsewhere. */
export function statusLine(): { show(text: string): void; end(): void } {
  let last = '';
  return {
    show(text) {
      if (text === last) return;
      last = text;
      if (process.stdout.isTTY) process.stdout.write(`\r\u001b[2K${text}`);
      else print(text);
    },
    end() {
      if (process.stdout.isTTY && last !== '') process.stdout.write('\n');
      last = '';
    },
  };
}
