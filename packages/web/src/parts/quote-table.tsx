/** The price before anything is charged, line by line. */

import type { Quote } from '@assay/client';
import { Table } from '@mantine/core';
import { MoneyText } from './figures.tsx';

export function QuoteTable({ quote }: { quote: Quote }) {
  return (
    <Table.ScrollContainer minWidth={280}>
      <Table>
        <Table.Tbody>
          {quote.lines.map((line) => (
            <Table.Tr key={line.text}>
              <Table.Td>{line.text}</Table.Td>
              <Table.Td ta="right">
                <MoneyText value={line.amount} />
              </Table.Td>
            </Table.Tr>
          ))}
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
