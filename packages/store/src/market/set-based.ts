/** Many rows through one statement: each column travels as one array that `unnest` takes apart. */

type Cell = string | number | bigint | boolean | null | undefined;

/** One array a column, in the order of `columns`. */
export function columnsOf<Row>(rows: readonly Row[], columns: readonly ((row: Row) => Cell)[]): readonly string[] {
  return columns.map((column) => arrayLiteral(rows, column));
}

const needsQuotes = /[\s,{}"\\]|^$|^null$/i;

/** A PostgreSQL array in its text form; plain values, such as ids and hashes, cost no escaping. */
function arrayLiteral<Row>(rows: readonly Row[], column: (row: Row) => Cell): string {
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
