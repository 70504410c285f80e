/** The receipt: what it proves, checked here, and the file to keep. */

import type { Job } from '@assay/client';
import type { ReceiptSummary, ReceiptVerdict } from '@assay/verify';
import { Alert, Button, Code, Group, SimpleGrid, Stack, Text } from '@mantine/core';
import { receiptUrl, useReceipt } from '../market.ts';
import { sizeText } from '../words.ts';
import { Figure, HashText, MoneyText } from './figures.tsx';
import { ProblemNote } from './problem-note.tsx';
import { Nothing, Waiting } from './waiting.tsx';

const withReceipt: ReadonlySet<Job['state']> = new Set(['completed', 'refunded']);

export function ReceiptCard({ job }: { job: Job }) {
  const ready = withReceipt.has(job.state);
  const receipt = useReceipt(job.id, job.state, ready);
  if (!ready) return <Nothing>The receipt is made when the job is settled and its facts are on the ledger.</Nothing>;
  if (receipt.isPending) return <Waiting />;
  if (receipt.error) return <ProblemNote error={receipt.error} onRetry={() => void receipt.refetch()} />;
  const { verdict, sizeBytes } = receipt.data;
  return (
    <Stack gap="md">
      <Verdict verdict={verdict} />
      {verdict.ok && <Proven summary={verdict.summary} />}
      <Text>
        The receipt holds the manifest, every replica&apos;s signed result, the verdicts, the money and the
        ledger&apos;s proofs. Anyone can check it offline, without an account:
      </Text>
      <Code block tabIndex={0}>{`./assay verify receipt-${job.id}.json`}</Code>
      <Group>
        <Button component="a" href={receiptUrl(job.id)} download={`receipt-${job.id}.json`}>
          Download the receipt
        </Button>
        <Text size="sm" c="dimmed">
          {sizeText(sizeBytes)}
        </Text>
      </Group>
    </Stack>
  );
}

function Verdict({ verdict }: { verdict: ReceiptVerdict }) {
  if (!verdict.ok) {
    return (
      <Alert color="red" role="alert" title="✗ The receipt does not hold">
        {verdict.part}: {verdict.message}
      </Alert>
    );
  }
  return (
    <Alert color="green" role="status" title="✓ Checked in this browser: every part of it holds">
      {verdict.checks.map(({ part }) => part).join(' · ')}
    </Alert>
  );
}

function Proven({ summary }: { summary: ReceiptSummary }) {
  return (
    <SimpleGrid cols={{ base: 2, md: 5 }} spacing="sm">
      <Figure label="Results that agreed" note={`of ${summary.replicas} in ${summary.units} units`}>
        {summary.agreed}
      </Figure>
      <Figure label="Results that differed">{summary.disagreed}</Figure>
      <Figure
        label="Deposit"
        note={
          <>
            returned <MoneyText value={summary.refunded} />
          </>
        }
      >
        <MoneyText value={summary.deposit} />
      </Figure>
      <Figure label="Computed with" note={summary.runner}>
        {summary.machineClasses.map((one) => (
          <HashText key={one} value={one} />
        ))}
      </Figure>
      <Figure label="Ledger key" note={`head at block ${summary.block}`}>
        <HashText value={summary.ledgerKey} />
      </Figure>
    </SimpleGrid>
  );
}
