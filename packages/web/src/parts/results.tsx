/** The result's files, to look at and to keep. */

import type { Job, TreeFile } from '@assay/client';
import { Anchor, Button, Group, Paper, Stack, Table, Text } from '@mantine/core';
import { resultUrl, resultsZipUrl, useResults, useResultText } from '../market.ts';
import { mostRows, sizeText } from '../words.ts';
import { HashText } from './figures.tsx';
import { ProblemNote } from './problem-note.tsx';
import { CutNote, Nothing, Waiting } from './waiting.tsx';

const withResults: ReadonlySet<Job['state']> = new Set(['verified', 'completed', 'disputed']);

/** Which files are shown at once: the first few, where they are small. */
const shownFiles = 3;
const shownBytes = 8 * 1024;

export function ResultList({ job }: { job: Job }) {
  const ready = withResults.has(job.state);
  const results = useResults(job.id, ready);
  if (!ready) return <Nothing>The result appears here once all units have agreed.</Nothing>;
  if (results.isPending) return <Waiting />;
  if (results.error) return <ProblemNote error={results.error} />;
  const { files, digest } = results.data;
  const small = files.filter((file) => file.sizeBytes > 0 && file.sizeBytes <= shownBytes).slice(0, shownFiles);
  return (
    <Stack gap="md">
      <Group justify="space-between">
        <Button component="a" href={resultsZipUrl(job.id)} download>
          Download all as zip
        </Button>
        <Text size="sm" c="dimmed" component="div">
          digest <HashText value={digest} />
        </Text>
      </Group>
      {small.map((file) => (
        <Preview key={file.path} jobId={job.id} file={file} />
      ))}
      <Table>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>File</Table.Th>
            <Table.Th ta="right">Size</Table.Th>
            <Table.Th visibleFrom="xs">SHA-256</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {files.slice(0, mostRows).map((file) => (
            <Table.Tr key={file.path}>
              <Table.Td style={{ overflowWrap: 'anywhere' }}>
                <Anchor href={resultUrl(job.id, file.path)} download underline="always">
                  {file.path}
                </Anchor>
              </Table.Td>
              <Table.Td ta="right" className="figures">
                {sizeText(file.sizeBytes)}
              </Table.Td>
              <Table.Td visibleFrom="xs">
                <HashText value={file.sha256} />
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
      <CutNote rows={files.length} what="files" />
    </Stack>
  );
}

function Preview({ jobId, file }: { jobId: string; file: TreeFile }) {
  const text = useResultText(jobId, file.path);
  if (typeof text.data !== 'string') return null;
  return (
    <Paper withBorder p="sm">
      <Text size="xs" c="dimmed" mb={4}>
        {file.path}
      </Text>
      <pre className="log" tabIndex={0} aria-label={`The text of ${file.path}`}>
        {text.data}
      </pre>
    </Paper>
  );
}
