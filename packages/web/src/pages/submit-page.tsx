/** From a folder or zip to a priced job: nothing is charged before the price was seen and accepted. */

import { Button, Card, Code, FileButton, Group, Paper, Progress, Stack, Text, Title } from '@mantine/core';
import { useNavigate } from '@tanstack/react-router';
import { useRef, useState, type DragEvent } from 'react';
import { makeBundle, type Bundle } from '../bundle.ts';
import { useCreateJob, useQuote } from '../market.ts';
import { ProblemNote } from '../parts/problem-note.tsx';
import { QuoteTable } from '../parts/quote-table.tsx';
import { Waiting } from '../parts/waiting.tsx';
import { count, sizeText } from '../words.ts';

export function SubmitPage() {
  const [bundle, setBundle] = useState<Bundle>();
  const [problem, setProblem] = useState<unknown>();
  const [reading, setReading] = useState(false);
  const picks = useRef(0);

  const pick = (files: readonly File[]) => {
    picks.current += 1;
    const own = picks.current;
    // Of what was picked before, nothing may come after.
    const ifLast =
      <Value,>(tell: (value: Value) => void) =>
      (value: Value): void => {
        if (own !== picks.current) return;
        setReading(false);
        tell(value);
      };
    setProblem(undefined);
    setBundle(undefined);
    setReading(true);
    void makeBundle(files).then(ifLast(setBundle), ifLast(setProblem));
  };

  return (
    <Stack maw={720} gap="lg">
      <title>Submit a job · Assay</title>
      <div>
        <Title order={1} size="h2">
          Submit a job
        </Title>
        <Text c="dimmed" mt={4}>
          A job is a folder with your code, your data and a <Code>manifest.json</Code>. It is split into units;
          independent workers run each one in a sandbox, and only results that agree are paid for.
        </Text>
      </div>
      <Pickers onPick={pick} />
      {reading && <Waiting />}
      {problem !== undefined && <ProblemNote error={problem} />}
      {bundle && <Offer bundle={bundle} />}
    </Stack>
  );
}

function Pickers({ onPick }: { onPick: (files: readonly File[]) => void }) {
  const folder = useRef<HTMLInputElement>(null);
  const drop = (event: DragEvent) => {
    event.preventDefault();
    onPick([...event.dataTransfer.files]);
  };
  return (
    <Paper withBorder p="lg" style={{ borderStyle: 'dashed' }} onDragOver={(e) => e.preventDefault()} onDrop={drop}>
      <input
        ref={folder}
        type="file"
        multiple
        hidden
        aria-label="A folder"
        {...{ webkitdirectory: '' }}
        onChange={(event) => {
          onPick([...(event.currentTarget.files ?? [])]);
          event.currentTarget.value = '';
        }}
      />
      <Group>
        <Button onClick={() => folder.current?.click()}>Choose a folder</Button>
        <FileButton
          accept=".zip,application/zip"
          onChange={(file) => file && onPick([file])}
          inputProps={{ 'aria-label': 'A zip file' }}
        >
          {(props) => (
            <Button variant="default" {...props}>
              Choose a zip file
            </Button>
          )}
        </FileButton>
        <Text size="sm" c="dimmed" visibleFrom="sm">
          or drop a zip here
        </Text>
      </Group>
    </Paper>
  );
}

function Offer({ bundle }: { bundle: Bundle }) {
  const navigate = useNavigate();
  const quote = useQuote(bundle);
  const [sent, setSent] = useState(0);
  const create = useCreateJob((bytes, total) => setSent(total === 0 ? 0 : (100 * bytes) / total));
  const submit = () =>
    create.mutate(bundle.zip, {
      onSuccess: (job) => void navigate({ to: '/jobs/$jobId', params: { jobId: job.id } }),
    });
  return (
    <Card withBorder padding="lg" component="section" aria-label="The offer">
      <Stack gap="md">
        <Group justify="space-between" gap="xs">
          <Text fw={650} size="lg" style={{ overflowWrap: 'anywhere' }}>
            {bundle.name}
          </Text>
          <Text size="sm" c="dimmed">
            {count(bundle.files, 'file')}, {sizeText(bundle.zip.size)} zipped
          </Text>
        </Group>
        {quote.isPending && <Waiting />}
        {quote.error && <ProblemNote error={quote.error} />}
        {quote.data && <QuoteTable quote={quote.data} />}
        {create.error && <ProblemNote error={create.error} />}
        {create.isPending && <Progress value={sent} animated aria-label="Uploading" />}
        {quote.data && (
          <Group>
            <Button onClick={submit} loading={create.isPending}>
              Upload and go on to payment
            </Button>
            <Text size="sm" c="dimmed">
              Nothing is charged yet.
            </Text>
          </Group>
        )}
      </Stack>
    </Card>
  );
}
