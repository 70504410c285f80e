/** The newest blocks of the ledger and its signed head. */

import type { Block } from '@assay/client';
import { Badge, Card, Group, Stack, Text, Title } from '@mantine/core';
import { useBlocks, useLedgerHead } from '../market.ts';
import { HashText } from '../parts/figures.tsx';
import { ProblemNote } from '../parts/problem-note.tsx';
import { Waiting } from '../parts/waiting.tsx';
import { dayTime } from '../words.ts';

export function LedgerPage() {
  const head = useLedgerHead();
  const blocks = useBlocks();
  if (blocks.isPending || head.isPending) return <Waiting />;
  const error = blocks.error ?? head.error;
  if (error) return <ProblemNote error={error} />;
  return (
    <Stack>
      <Title order={2}>Ledger</Title>
      {head.data && (
        <Text size="sm">
          Head: block {head.data.block}, root <HashText value={head.data.chainRoot} />, signed{' '}
          <HashText value={head.data.signature} />
        </Text>
      )}
      {blocks.data?.map((block) => (
        <BlockCard key={block.number} block={block} />
      ))}
    </Stack>
  );
}

function BlockCard({ block }: { block: Block }) {
  return (
    <Card withBorder padding="sm" component="article">
      <Group justify="space-between" gap="xs">
        <Text fw={600}>Block {block.number}</Text>
        <Text size="sm" c="dimmed">
          {dayTime(block.at)}
        </Text>
      </Group>
      <Text size="sm">
        <HashText value={block.hash} />
      </Text>
      <Stack gap={4} mt="xs">
        {block.transactions.map((transaction) => (
          <Group key={transaction.txId} gap="xs">
            <Badge variant="default" tt="none">
              {transaction.contract}.{transaction.fn}
            </Badge>
            <HashText value={transaction.txId} />
          </Group>
        ))}
      </Stack>
    </Card>
  );
}
