/** Units × replicas: a row per unit, a cell per replica; a click shows what a replica did. */

import type { Replica, Unit } from '@assay/client';
import { Drawer, Group, Stack, Table, Text } from '@mantine/core';
import { useState } from 'react';
import { replicaWords, unitWords, dayTime, sizeText } from '../words.ts';
import { HashText, MoneyText } from './figures.tsx';

interface Picked {
  readonly unit: Unit;
  readonly replica: Replica;
}

function unitName(unit: Unit): string {
  return unit.kind === 'merge' ? 'merge' : `unit ${unit.ordinal}`;
}

export function UnitGrid({ units }: { units: readonly Unit[] }) {
  const [picked, setPicked] = useState<Picked>();
  const close = () => setPicked(undefined);
  return (
    <Stack gap="sm">
      <Legend />
      <ul className="unit-grid">
        {units.map((unit) => (
          <li key={unit.id} className="unit-row" data-unit-state={unit.state}>
            <span className="unit-name">
              <Text span inherit fw={600}>
                {unitName(unit)}
              </Text>{' '}
              <Text span size="xs" c="dimmed">
                {unitWords[unit.state]}
                {unit.metric !== null && ` · ${unit.metric.slice(0, 10)}`}
              </Text>
            </span>
            {unit.replicas.map((replica) => (
              <button
                key={replica.id}
                type="button"
                className={`replica replica-${replica.state}`}
                aria-label={`${unitName(unit)}, ${replica.workerName}: ${replicaWords[replica.state].text}`}
                title={`${replica.workerName}: ${replicaWords[replica.state].text}`}
                onClick={() => setPicked({ unit, replica })}
              >
                {replicaWords[replica.state].letter}
              </button>
            ))}
          </li>
        ))}
      </ul>
      <Drawer
        opened={picked !== undefined}
        onClose={close}
        position="right"
        title="Replica"
        closeButtonProps={{ 'aria-label': 'Close' }}
      >
        {picked && <ReplicaDetail unit={picked.unit} replica={picked.replica} />}
      </Drawer>
    </Stack>
  );
}

function Legend() {
  const shown = ['leased', 'committed', 'agreed', 'disagreed', 'lost'] as const;
  return (
    <Group gap="md">
      {shown.map((state) => (
        <Group key={state} gap={6} wrap="nowrap">
          <span className={`replica replica-${state}`} aria-hidden="true">
            {replicaWords[state].letter}
          </span>
          <Text size="xs">{state === 'leased' ? 'running' : state}</Text>
        </Group>
      ))}
    </Group>
  );
}

function ReplicaDetail({ unit, replica }: Picked) {
  const rows: readonly (readonly [string, React.ReactNode])[] = [
    ['Unit', unitName(unit)],
    ['State', replicaWords[replica.state].text],
    ['Worker', replica.workerName],
    ['Owner', replica.ownerName],
    ['Commitment', replica.commitment ? <HashText value={replica.commitment} /> : '–'],
    ['Result digest', replica.digest ? <HashText value={replica.digest} /> : '–'],
    ['Metric', replica.metric ?? '–'],
    ['Claimed', dayTime(replica.claimedAt)],
    ['Committed', replica.committedAt ? dayTime(replica.committedAt) : '–'],
    ['Opened', replica.revealedAt ? dayTime(replica.revealedAt) : '–'],
    [
      'Used (as reported)',
      replica.usage ? `${(replica.usage.cpuMs / 1000).toFixed(2)} s CPU, ${sizeText(replica.usage.peakBytes)}` : '–',
    ],
    ['Paid', <MoneyText key="paid" value={replica.paid} />],
  ];
  return (
    <Table variant="vertical" layout="fixed">
      <Table.Tbody>
        {rows.map(([label, value]) => (
          <Table.Tr key={label}>
            <Table.Th w={130}>{label}</Table.Th>
            <Table.Td style={{ overflowWrap: 'anywhere' }}>{value}</Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  );
}
