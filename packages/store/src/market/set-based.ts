/** Many rows through one statement: each column travels as one array that `unnest` takes apart. */

/** One array a column, in the order of `columns`. */
export function columnsOf<Row>(
  rows: readonly Row[],
  columns: readonly ((row: Row) => unknown)[],
): readonly (readonly unknown[])[] {
  return columns.map((column) => rows.map(column));
}
