/** State machines are tables of rows `[from, event, to]`; this is their one interpreter. */

import { refuse } from './errors.ts';

/** The nouns that have a table; each has its `<noun>.wrong_state` code. */
export type Stateful = 'job' | 'unit' | 'replica' | 'escrow';

export interface StateTable<State extends string, Event extends string> {
  readonly noun: Stateful;
  /** Every state, the one that a new thing begins in first. */
  readonly states: readonly [State, ...State[]];
  readonly rows: readonly (readonly [from: State, event: Event, to: State])[];
}

/** The state that `event` leads to; refuses `<noun>.wrong_state`. */
export function transition<State extends string, Event extends string>(
  table: StateTable<State, Event>,
  state: State,
  event: Event,
): State {
  const row = table.rows.find(([from, by]) => from === state && by === event);
  if (row) return row[2];
  throw refuse(`${table.noun}.wrong_state`, `a ${state} ${table.noun} cannot ${event}`, { state, event });
}

/** Whether `event` is lawful in `state`. */
export function may<State extends string, Event extends string>(
  table: StateTable<State, Event>,
  state: State,
  event: Event,
): boolean {
  return table.rows.some(([from, by]) => from === state && by === event);
}

/** Whether nothing can happen any more in `state`. */
export function isFinal<State extends string, Event extends string>(
  table: StateTable<State, Event>,
  state: State,
): boolean {
  return !table.rows.some(([from]) => from === state);
}

/** The states in which `event` is lawful, in the order of the table: what a conditional UPDATE asks for. */
export function statesBefore<State extends string, Event extends string>(
  table: StateTable<State, Event>,
  event: Event,
): State[] {
  return table.states.filter((state) => may(table, state, event));
}
