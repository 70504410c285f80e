/** Modules for tests, put together from bytes. */

export const unsigned = (value: number): number[] =>
  value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...unsigned(Math.floor(value / 128))];
export const vector = (items: readonly (readonly number[])[]) => [...unsigned(items.length), ...items.flat()];
export const text = (value: string) => [...unsigned(value.length), ...Buffer.from(value)];
export const section = (id: number, content: readonly number[]) => [id, ...unsigned(content.length), ...content];

export interface Parts {
  readonly types?: readonly (readonly number[])[];
  readonly imports?: readonly (readonly number[])[];
  readonly memory?: readonly number[];
  /** The one function, of the last type: its variables and its code. */
  readonly body?: readonly number[];
  /** Other sections by their number. */
  readonly sections?: Readonly<Record<number, readonly number[]>>;
  readonly more?: readonly number[];
}

export const i64 = 0x7e;
export const twoToOne = [0x60, 2, i64, i64, 1, i64];
export const importOf = (module: string, name: string, kind: readonly number[] = [0, 0]) => [
  ...text(module),
  ...text(name),
  ...kind,
];

const order = [1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 10, 11];

export function assemble({
  types = [twoToOne],
  imports = [],
  memory = [0, 1],
  body = [0, 0x20, 0],
  sections = {},
  more = [],
}: Parts) {
  const code = [...body, 0x0b];
  const exported = [
    [...text('f'), 0, imports.length],
    [...text('memory'), 2, 0],
  ];
  const all: Readonly<Record<number, readonly number[]>> = {
    1: vector(types),
    2: vector(imports),
    3: vector([[types.length - 1]]),
    5: vector([memory]),
    7: vector(exported),
    10: vector([[...unsigned(code.length), ...code]]),
    ...sections,
  };
  const present = order.flatMap((id) => (all[id] ? section(id, all[id]) : []));
  return Uint8Array.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, ...present, ...more]);
}
