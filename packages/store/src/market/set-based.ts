/** Many rows through one statement: each column travels as one array that `unnest` takes apart. */

type Maybe<T> = T | null | undefined;

/** A column: its type and what stands in it. */
type Column<Row> =
  | readonly ['text' | 'jsonb', (row: Row) => Maybe<string>]
  | readonly ['int' | 'smallint' | 'bigint', (row: Row) => Maybe<number | bigint>]
  | readonly ['bool', (row: Row) => Maybe<boolean>];

/** The rows that a statement takes. */
export interface RowSet<Row> {
  /** Names them as a table; their parameters are numbered from `first` on. */
  table(first: number): string;
  /** Those parameters. */
  values(rows: readonly Row[]): readonly (string | Buffer)[];
}

/** Rows of these columns, by name. */
export function rowSet<Row>(columns: Readonly<Record<string, Column<Row>>>): RowSet<Row> {
  const all = Object.entries(columns);
  return {
    table(first) {
      // In the list of a SELECT: `unnest` over several arrays after FROM would store each column before it is read.
      const cells = all.map(([name, [type]], index) => `unnest($${first + index}::${type}[]) AS ${name}`);
      return `(SELECT ${cells.join(', ')})`;
    },
    values: (rows) => all.map(([, column]) => arrayOf(rows, column)),
  };
}

function arrayOf<Row>(rows: readonly Row[], [type, cell]: Column<Row>): string | Buffer {
  return type === 'text' ? textArray(rows, cell) : arrayLiteral(rows, cell);
}

const needsQuotes = /[\s,{}"\\]|^$|^null$/i;

/** A PostgreSQL array in its text form; plain values cost no escaping. */
function arrayLiteral<Row>(
  rows: readonly Row[],
  column: (row: Row) => Maybe<string | number | bigint | boolean>,
): string {
  let items = '';
  for (const row of rows) {
    const cell = column(row);
    if (items !== '') items += ',';
    if (cell === null || cell === undefined) items += 'NULL';
    else if (typeof cell !== 'string') items += String(cell);
    else items += needsQuotes.test(cell) ? quoted(cell) : cell;
  }
  return `{${items}}`;
}

function quoted(text: string): string {
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}

/** A parameter of type text[] that costs neither side any escaping. */
export function textList(texts: readonly string[]): Buffer {
  return textArray(texts, (text) => text);
}

const textOid = 25;
const nullLength = '\xff\xff\xff\xff';

/** An array of text in its binary form, which the server need not read character by character. */
function textArray<Row>(rows: readonly Row[], column: (row: Row) => Maybe<string>): Buffer {
  // Written as a text whose characters are the bytes: the engine joins texts faster than anybody writes into buffers.
  let items = '';
  let hasNulls = 0;
  for (const row of rows) {
    const cell = column(row);
    if (cell === null || cell === undefined) {
      items += nullLength;
      hasNulls = 1;
    } else {
      const bytes = Buffer.byteLength(cell) === cell.length ? cell : Buffer.from(cell).toString('latin1');
      items += int32(bytes.length) + bytes;
    }
  }
  const dimensions = rows.length === 0 ? int32(0) : int32(1);
  const bounds = rows.length === 0 ? '' : int32(rows.length) + int32(1);
  return Buffer.from(dimensions + int32(hasNulls) + int32(textOid) + bounds + items, 'latin1');
}

const smallInts: string[] = [];

/** Four bytes, the highest first; those of common lengths are kept. */
function int32(value: number): string {
  const known = smallInts[value];
  if (known !== undefined) return known;
  const bytes = String.fromCharCode(value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255);
  if (value < 4096) smallInts[value] = bytes;
  return bytes;
}
