/** The result's files and the receipt, to look at and to keep. */

import type { Job } from '@assay/client';
import { Button, Code, Group, Stack, Table, Text } from '@mantine/core';
import { resultUrl, resultsZipUrl, useReceipt, useResults } from '../market.ts';
import { sizeText } from '../words.ts';
import { HashText } from './figures.tsx';
import { ProblemNote } from './problem-note.tsx';
import { Waiting } from './waiting.tsx';

const withResults: ReadonlySet<Job['state']> = new Set(['verified', 'completed', 'disputed']);

export function ResultList({ job }: { job: Job }) {
  const ready = withResults.has(job.state);
  const results = useResults(job.id, ready);
  if (!ready) return <Text c="dimmed">The result appears here once all units have agreed.</Text>;
  if (results.isPending) return <Waiting />;
  if (results.error) return <ProblemNote error={results.error} />;
  return (
    <Stack gap="sm">
      <Group>
        <Button component="a" href={resultsZipUrl(job.id)} download>
          Download all as zip
        </Button>
        <Text size="sm">
          digest <HashText value={results.data.digest} />
        </Text>
      </Group>
      <Table.ScrollContainer minWidth={280}>
        <Table>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>File</Table.Th>
              <Table.Th>Size</Table.Th>
              <Table.Th>SHA-256</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {results.data.files.map((file) => (
              <Table.Tr key={file.path}>
                <Table.Td>
                  <a href={resultUrl(job.id, file.path)} download>
                    {file.path}
                  </a>
                </Table.Td>
                <Table.Td className="figures">{sizeText(file.sizeBytes)}</Table.Td>
                <Table.Td>
                  <HashText value={file.sha256} />
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
    </Stack>
  );
}

export function ReceiptCard({ job }: { job: Job }) {
  const settled = job.state === 'completed';
  const receipt = useReceipt(job.id, settled);
  if (!settled)
    return <Text c="dimmed">The receipt is made when the job is settled and its facts are on the ledger.</Text>;
  if (receipt.isPending) return <Waiting />;
  if (receipt.error) return <ProblemNote error={receipt.error} />;
  return (
    <Stack gap="sm">
      <Text>
        The receipt holds the manifest, every replica&apos;s signed result, the verdicts, the money and the
        ledger&apos;s proofs. Anyone can check it offline, without an account:
      </Text>
      <Code block>./assay verify receipt.json</Code>
      <ReceiptVerdict verdict={receipt.data.verdict} />
      <Group>
        <Button component="a" href={receipt.data.url} download={`receipt-${job.id}.json`}>
          Download the receipt
        </Button>
        <Text size="sm" c="dimmed">
          {sizeText(receipt.data.sizeBytes)}
        </Text>
      </Group>
    </Stack>
  );
}

function ReceiptVerdict({ verdict }: { verdict: { ok: boolean; text: string } }) {
  return (
    <Text fw={600} c={verdict.ok ? 'green.9' : 'red.9'} role="status">
      {verdict.ok ? '✓ ' : '✗ '}
      {verdict.text}
    </Text>
  );
}
