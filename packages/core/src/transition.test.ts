import { describe, expect, it } from 'vitest';
import { escrowEvents, escrowTable, holdingStates } from './escrow.ts';
import { escrowStatesOfJob, jobEvents, jobStates, jobTable, type JobState } from './job.ts';
import { replicaEvents, replicaTable } from './replica.ts';
import { Refusal } from './errors.ts';
import { isFinal, may, statesBefore, transition, type StateTable } from './transition.ts';
import { unitEvents, unitTable } from './unit.ts';

const machines: { table: StateTable<string, string>; events: readonly string[]; final: string[] }[] = [
  { table: jobTable, events: jobEvents, final: ['completed', 'refunded', 'cancelled'] },
  { table: escrowTable, events: escrowEvents, final: ['released', 'refunded', 'split', 'charged_back', 'expired'] },
  { table: unitTable, events: unitEvents, final: ['agreed', 'undecided'] },
  { table: replicaTable, events: replicaEvents, final: ['agreed', 'disagreed', 'lost', 'failed', 'withdrawn'] },
] as { table: StateTable<string, string>; events: readonly string[]; final: string[] }[];

describe.each(machines)('the $table.noun table', ({ table, events, final }) => {
  it('answers every pair of state and event by a row or by a refusal', () => {
    for (const state of table.states) {
      for (const event of events) {
        const rows = table.rows.filter(([from, by]) => from === state && by === event);
        expect(rows.length, `${state} ${event}`).toBeLessThanOrEqual(1);
        expect(may(table, state, event)).toBe(rows.length === 1);
        if (rows[0]) expect(transition(table, state, event)).toBe(rows[0][2]);
        else expect(codeOf(() => transition(table, state, event))).toBe(`${table.noun}.wrong_state`);
      }
    }
  });

  it('names only known states and events, and uses each', () => {
    for (const [from, event, to] of table.rows) {
      expect(table.states).toContain(from);
      expect(table.states).toContain(to);
      expect(events).toContain(event);
    }
    for (const event of events) expect(statesBefore(table, event), event).not.toEqual([]);
  });

  it('reaches every state from the first, and an end from every state', () => {
    expect(reach(table, table.states[0]).toSorted()).toEqual([...table.states].toSorted());
    expect(table.states.filter((state) => isFinal(table, state)).toSorted()).toEqual(final.toSorted());
    for (const state of table.states) {
      expect(
        reach(table, state).some((one) => isFinal(table, one)),
        state,
      ).toBe(true);
    }
  });
});

describe('job and escrow', () => {
  it('has, in lower case, the seven states of the ledger contract', () => {
    expect(jobStates.map((state) => state.toUpperCase())).toEqual([
      'CREATED',
      'FUNDED',
      'VERIFIED',
      'COMPLETED',
      'DISPUTED',
      'REFUNDED',
      'CANCELLED',
    ]);
  });

  it('moves the escrow, by one event, whenever the job moves', () => {
    for (const [from, event, to] of jobTable.rows) {
      const start = escrowStatesOfJob[from][0];
      const next = escrowTable.rows.filter(([before]) => before === start).map(([, , after]) => after);
      expect(
        next.some((one) => escrowStatesOfJob[to].includes(one)),
        `${from} ${event}`,
      ).toBe(true);
    }
  });

  it('has a way of the job, of at most two events, for every move of the escrow', () => {
    for (const [from, event, to] of escrowTable.rows) {
      const before = jobStates.filter((state) => escrowStatesOfJob[state].includes(from));
      const after = new Set(jobStates.filter((state) => escrowStatesOfJob[state].includes(to)));
      expect(
        before.some((state) => near(state).some((one) => after.has(one))),
        `${from} ${event}`,
      ).toBe(true);
    }
  });

  it('holds money exactly while the job is neither unpaid nor over', () => {
    for (const state of jobStates) {
      const holds = escrowStatesOfJob[state].every((escrow) => holdingStates.includes(escrow));
      expect(holds, state).toBe(state !== 'created' && !isFinal(jobTable, state));
    }
  });
});

function step(from: JobState): JobState[] {
  return jobTable.rows.filter((row) => row[0] === from).map((row) => row[2]);
}

function near(state: JobState): JobState[] {
  return [state, ...step(state), ...step(state).flatMap(step)];
}

function reach(table: StateTable<string, string>, start: string): string[] {
  const found = new Set([start]);
  for (const state of found) for (const [from, , to] of table.rows) if (from === state) found.add(to);
  return [...found];
}

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof Refusal) return error.code;
    throw error;
  }
  return 'nothing was refused';
}
