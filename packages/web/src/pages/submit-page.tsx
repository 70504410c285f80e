/** From a folder or zip to a priced job: nothing is charged before the price was seen and accepted. */

import { Alert, Button, Card, FileButton, Group, Progress, Stack, Text, Title } from '@mantine/core';
import { useNavigate } from '@tanstack/react-router';
import { useRef, useState } from 'react';
import { makeBundle, type Bundle } from '../bundle.ts';
import { useCreateJob, useQuote } from '../market.ts';
import { ProblemNote } from '../parts/problem-note.tsx';
import { QuoteTable } from '../parts/quote-table.tsx';
import { sizeText } from '../words.ts';

export function SubmitPage() {
  const [bundle, setBundle] = useState<Bundle>();
  const [problem, setProblem] = useState<unknown>();

  const pick = (files: readonly File[]) => {
    setProblem(undefined);
    setBundle(undefined);
    makeBundle(files).then(setBundle, setProblem);
  };

  return (
    <Stack maw={760}>
      <Title order={2}>Submit a job</Title>
      <Text>
        A job is a folder with your code, your data and a <code>manifest.json</code>. It is split into units;
        independent workers run each one in a sandbox, and only results that agree are paid for.
      </Text>
      <Pickers onPick={pick} />
      {problem !== undefined && <ProblemNote error={problem} />}
      {bundle && <Offer key={`${bundle.name} ${bundle.zip.size}`} bundle={bundle} />}
    </Stack>
  );
}

function Pickers({ onPick }: { onPick: (files: readonly File[]) => void }) {
  const folder = useRef<HTMLInputElement>(null);
  return (
    <Group>
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
    </Group>
  );
}

function Offer({ bundle }: { bundle: Bundle }) {
  const navigate = useNavigate();
  const quote = useQuote(bundle);
  const [sent, setSent] = useState(0);
  const create = useCreateJob((bytes, total) => setSent(total === 0 ? 0 : (100 * bytes) / total));
  const submit = () =>
    create.mutate(bundle.zip, {
      onSuccess: (job) => void navigate({ to: '/console/jobs/$jobId', params: { jobId: job.id } }),
    });
  return (
    <Card withBorder>
      <Stack gap="sm">
        <Text fw={600}>
          {bundle.name}{' '}
          <Text span size="sm" c="dimmed">
            {sizeText(bundle.zip.size)}
          </Text>
        </Text>
        {quote.error && <ProblemNote error={quote.error} />}
        {quote.data && <QuoteTable quote={quote.data} />}
        {bundle.manifest === undefined && (
          <Alert color="blue">
            The manifest inside the zip is read when it is uploaded; you see the price before you pay.
          </Alert>
        )}
        {create.error && <ProblemNote error={create.error} />}
        {create.isPending && <Progress value={sent} animated aria-label="Uploading" />}
        <Group>
          <Button onClick={submit} loading={create.isPending} disabled={quote.isFetching || quote.error !== null}>
            Upload
          </Button>
          <Text size="sm" c="dimmed">
            Nothing is charged yet.
          </Text>
        </Group>
      </Stack>
    </Card>
  );
}
