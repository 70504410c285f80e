/** Units × replicas: a row per unit, a cell per replica. The legend counts and filters; a cell tells its replica's story. */

import type { Replica, Unit } from '@assay/client';
import { Alert, Stack, Text } from '@mantine/core';
import { memo, useCallback, useMemo, useState } from 'react';
import { metricText, replicaWords, unitWords } from '../words.ts';
import { ReplicaDrawer, type Picked } from './replica-drawer.tsx';

type ReplicaState = Replica['state'];

/** The states that the legend always shows; the others only where they occur. */
const usual: ReadonlySet<ReplicaState> = new Set(['leased', 'committed', 'agreed', 'disagreed']);

export function unitName(unit: Unit): string {
  return unit.kind === 'merge' ? 'Merge' : `Unit ${unit.ordinal}`;
}

export function UnitGrid({ units }: { units: readonly Unit[] }) {
  const [picked, setPicked] = useState<Picked>();
  const [only, setOnly] = useState<ReplicaState>();
  const pick = useCallback((unit: string, replica: string) => setPicked({ unit, replica }), []);
  const counts = useMemo(() => countStates(units), [units]);
  const shown = only === undefined ? units : units.filter((unit) => unit.replicas.some(({ state }) => state === only));
  return (
    <Stack gap="sm">
      <Legend counts={counts} only={only} onPick={(state) => setOnly(state === only ? undefined : state)} />
      <Caught count={counts.get('disagreed') ?? 0} />
      <ul className="unit-grid" aria-label="Units">
        {shown.map((unit) => (
          <UnitRow key={unit.id} unit={unit} onPick={pick} />
        ))}
      </ul>
      {shown.length === 0 && <Text c="dimmed">No unit has such a replica now.</Text>}
      <ReplicaDrawer units={units} picked={picked} onClose={() => setPicked(undefined)} />
    </Stack>
  );
}

function countStates(units: readonly Unit[]): ReadonlyMap<ReplicaState, number> {
  const counts = new Map<ReplicaState, number>();
  for (const unit of units) {
    for (const { state } of unit.replicas) counts.set(state, (counts.get(state) ?? 0) + 1);
  }
  return counts;
}

interface LegendProps {
  readonly counts: ReadonlyMap<ReplicaState, number>;
  readonly only: ReplicaState | undefined;
  readonly onPick: (state: ReplicaState) => void;
}

function Legend({ counts, only, onPick }: LegendProps) {
  const states = (Object.keys(replicaWords) as ReplicaState[]).filter((state) => usual.has(state) || counts.has(state));
  return (
    <div className="legend" role="group" aria-label="Replicas by state; press one to see only its units">
      {states.map((state) => (
        <button
          key={state}
          type="button"
          className="legend-item"
          aria-pressed={state === only}
          title={replicaWords[state].text}
          onClick={() => onPick(state)}
        >
          <span className={`replica replica-${state}`} aria-hidden="true">
            {replicaWords[state].letter}
          </span>
          {replicaWords[state].label} <b className="figures">{counts.get(state) ?? 0}</b>
        </button>
      ))}
    </div>
  );
}

function Caught({ count }: { count: number }) {
  if (count === 0) return null;
  const what = count === 1 ? 'One result differed' : `${count} results differed`;
  const then = count === 1 ? 'it, and another worker ran the unit' : 'them, and other workers ran their units';
  return (
    <Alert color="red" variant="light" py="xs" title={`${what} from what the others agreed on`}>
      Nothing is paid for {then} instead. Press a red ✗ to see what was claimed.
    </Alert>
  );
}

interface RowProps {
  readonly unit: Unit;
  readonly onPick: (unit: string, replica: string) => void;
}

/** Drawn again only when its own unit changed: a job may have hundreds. */
const UnitRow = memo(function UnitRow({ unit, onPick }: RowProps) {
  const caught = unit.replicas.some(({ state }) => state === 'disagreed');
  return (
    <li className="unit-row" data-unit-state={unit.state} data-caught={caught}>
      <span className="unit-name">
        {unitName(unit)}
        <span className="unit-state">
          {unitWords[unit.state]}
          {unit.metric !== null && <span className="figures"> · {metricText(unit.metric)}</span>}
        </span>
      </span>
      <span className="unit-replicas">
        {unit.replicas.map((replica) => (
          <button
            key={replica.id}
            type="button"
            className={`replica replica-${replica.state}`}
            data-replica-state={replica.state}
            aria-label={`${unitName(unit)}, ${replica.workerName}: ${replicaWords[replica.state].text}`}
            title={`${replica.workerName}: ${replicaWords[replica.state].text}`}
            onClick={() => onPick(unit.id, replica.id)}
          >
            {replicaWords[replica.state].letter}
          </button>
        ))}
      </span>
    </li>
  );
});
