/** The price before anything is charged, as far as it can go. */

import type { Quote } from '@assay/client';
import { Group, Stack, Table, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { count } from '../words.ts';
import { MoneyText } from './figures.tsx';

export function QuoteTable({ quote }: { quote: Quote }) {
  const rows: readonly (readonly [string, ReactNode])[] = [
    ['Program', `${String(quote.manifest['entry_point'])} on ${String(quote.manifest['runner'])}`],
    ['Agreement', agreementOf(quote)],
    [
      `${count(quote.units, 'unit')} × ${count(quote.redundancy, 'replica')}`,
      <>
        {quote.replicas} × <MoneyText value={quote.perReplica} />
      </>,
    ],
    ['Budget in the manifest', <MoneyText key="budget" value={quote.budget} />],
    ...(quote.deposit.minor === quote.cap.minor
      ? []
      : [
          [
            'Charged at first, the least that the bank takes',
            <MoneyText key="deposit" value={quote.deposit} />,
          ] as const,
        ]),
  ];
  return (
    <Stack gap="sm">
      <Group justify="space-between" align="baseline">
        <Text>It costs at most</Text>
        <Text fw={700} size="xl" data-quote-cap={quote.cap.minor}>
          <MoneyText value={quote.cap} />
        </Text>
      </Group>
      <Table>
        <Table.Tbody>
          {rows.map(([label, value]) => (
            <Table.Tr key={label}>
              <Table.Td c="dimmed" pl={0}>
                {label}
              </Table.Td>
              <Table.Td ta="right" pr={0}>
                {value}
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
      <Text size="sm" c="dimmed">
        Only replicas whose results agree are paid; what is not spent returns to you when the job is settled.
      </Text>
    </Stack>
  );
}

/** How results are compared, in words. */
function agreementOf(quote: Quote): string {
  const verification = quote.manifest['verification'] as { type?: string; metric_name?: string; tolerance?: number };
  if (verification.type !== 'metric') return 'equal bit for bit';
  return `${verification.metric_name ?? 'metric'} within ${String(verification.tolerance ?? 0)}`;
}
