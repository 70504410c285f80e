/** The price before anything is charged, as far as it can go. */

import type { Quote } from '@assay/client';
import { Table } from '@mantine/core';
import { MoneyText } from './figures.tsx';

export function QuoteTable({ quote }: { quote: Quote }) {
  return (
    <Table.ScrollContainer minWidth={280}>
      <Table>
        <Table.Tbody>
          <Table.Tr>
            <Table.Td>
              {quote.units} units × {quote.redundancy} replicas at <MoneyText value={quote.perReplica} /> each, at most
            </Table.Td>
            <Table.Td ta="right" fw={700}>
              <MoneyText value={quote.cap} />
            </Table.Td>
          </Table.Tr>
          <Table.Tr>
            <Table.Td>Budget in the manifest</Table.Td>
            <Table.Td ta="right">
              <MoneyText value={quote.budget} />
            </Table.Td>
          </Table.Tr>
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}
