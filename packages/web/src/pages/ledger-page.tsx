/** The newest blocks of the ledger and its signed head. */

import type { Block, LedgerTransaction, SignedHead } from '@assay/client';
import { Anchor, Card, Group, SimpleGrid, Stack, Text, Title } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { useBlocks, useLedgerHead } from '../market.ts';
import { Figure, HashText } from '../parts/figures.tsx';
import { ProblemNote } from '../parts/problem-note.tsx';
import { Nothing, Waiting } from '../parts/waiting.tsx';
import { dayTime } from '../words.ts';

export function LedgerPage() {
  const head = useLedgerHead();
  const blocks = useBlocks();
  if (blocks.isPending || head.isPending) return <Waiting />;
  const error = blocks.error ?? head.error;
  if (error) return <ProblemNote error={error} onRetry={() => void Promise.all([blocks.refetch(), head.refetch()])} />;
  return (
    <Stack gap="lg">
      <title>Ledger · Assay</title>
      <div>
        <Title order={1} size="h2">
          Ledger
        </Title>
        <Text c="dimmed" size="sm" maw={640} mt={4}>
          Each block holds the hash of the one before it, and the head is signed: nobody can change a fact later without
          its being seen. Receipts carry proofs against this head.
        </Text>
      </div>
      {head.data && <Head head={head.data} />}
      {blocks.data?.length === 0 && <Nothing>No blocks yet; the first job makes the first.</Nothing>}
      <Stack gap="xs">
        {blocks.data?.map((block) => (
          <BlockCard key={block.number} block={block} />
        ))}
      </Stack>
    </Stack>
  );
}

function Head({ head }: { head: SignedHead }) {
  return (
    <SimpleGrid cols={{ base: 2, sm: 4 }} spacing="sm">
      <Figure label="Signed head" note={dayTime(head.at)}>
        Block {head.block}
      </Figure>
      <Figure label="Root of the chain">
        <HashText value={head.chainRoot} />
      </Figure>
      <Figure label="Signature">
        <HashText value={head.signature} />
      </Figure>
      <Figure label="Key of the ledger">
        <HashText value={head.publicKey} />
      </Figure>
    </SimpleGrid>
  );
}

function BlockCard({ block }: { block: Block }) {
  return (
    <Card withBorder padding="sm" component="article">
      <Group justify="space-between" gap="xs">
        <Group gap="xs">
          <Text fw={650}>Block {block.number}</Text>
          <HashText value={block.hash} />
        </Group>
        <Text size="sm" c="dimmed">
          {dayTime(block.at)}
        </Text>
      </Group>
      <Stack gap={2} mt={4}>
        {block.transactions.map((transaction) => (
          <TransactionLine key={transaction.txId} transaction={transaction} />
        ))}
      </Stack>
    </Card>
  );
}

function TransactionLine({ transaction }: { transaction: LedgerTransaction }) {
  const jobId = transaction.args.find((arg) => /^job_[0-9a-f]{32}$/.test(arg));
  return (
    <Group gap="xs" style={{ rowGap: 2 }}>
      <Text size="sm" style={{ overflowWrap: 'anywhere' }}>
        {transaction.contract}.{transaction.fn}
      </Text>
      <HashText value={transaction.txId} />
      {jobId !== undefined && (
        <Anchor size="sm" renderRoot={(props) => <Link to="/jobs/$jobId" params={{ jobId }} {...props} />}>
          its job
        </Anchor>
      )}
    </Group>
  );
}
