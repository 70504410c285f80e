/** What one replica did, from its lease to its pay, as it goes on. */

import type { Replica, Unit } from '@assay/client';
import { Alert, Drawer, Stack, Table, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { dayTime, replicaWords, sizeText } from '../words.ts';
import { HashText, MoneyText } from './figures.tsx';

/** A replica by its ids, so that the drawer follows its changes. */
export interface Picked {
  readonly unit: string;
  readonly replica: string;
}

interface DrawerProps {
  readonly units: readonly Unit[];
  readonly picked: Picked | undefined;
  readonly onClose: () => void;
}

export function ReplicaDrawer({ units, picked, onClose }: DrawerProps) {
  const unit = units.find(({ id }) => id === picked?.unit);
  const replica = unit?.replicas.find(({ id }) => id === picked?.replica);
  const name = unit?.kind === 'merge' ? 'the merge' : `unit ${unit?.ordinal ?? ''}`;
  return (
    <Drawer
      opened={replica !== undefined}
      onClose={onClose}
      position="right"
      title={<Text fw={650}>{replica ? `${replica.workerName} on ${name}` : ''}</Text>}
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      {unit && replica && <Story unit={unit} replica={replica} />}
    </Drawer>
  );
}

function Story({ unit, replica }: { unit: Unit; replica: Replica }) {
  const rows: readonly (readonly [string, ReactNode])[] = [
    ['State', replicaWords[replica.state].text],
    ['Owner', replica.ownerName],
    ['Commitment', replica.commitment ? <HashText value={replica.commitment} /> : '–'],
    ['Result digest', replica.digest ? <HashText value={replica.digest} /> : '–'],
    ['Metric', replica.metric ?? '–'],
    ['Claimed', dayTime(replica.claimedAt)],
    ['Committed', replica.committedAt ? dayTime(replica.committedAt) : '–'],
    ['Opened', replica.revealedAt ? dayTime(replica.revealedAt) : '–'],
    ['Used (as reported)', usageText(replica)],
    ['Paid', <MoneyText key="paid" value={replica.paid} />],
  ];
  return (
    <Stack>
      {replica.state === 'disagreed' && <Lie unit={unit} replica={replica} />}
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
    </Stack>
  );
}

function usageText({ usage }: Replica): string {
  return usage ? `${(usage.cpuMs / 1000).toFixed(2)} s CPU, ${sizeText(usage.peakBytes)}` : '–';
}

/** What was claimed beside what the others found. */
function Lie({ unit, replica }: { unit: Unit; replica: Replica }) {
  const claimed = replica.metric ?? replica.digest?.slice(0, 12) ?? 'nothing';
  const agreed = unit.metric ?? unit.agreedDigest?.slice(0, 12) ?? 'something else';
  return (
    <Alert color="red" title="Caught">
      It claimed <b>{claimed}</b>; independent workers agreed on <b>{agreed}</b>. It is not paid, and it stands in the
      worker&apos;s record.
    </Alert>
  );
}
