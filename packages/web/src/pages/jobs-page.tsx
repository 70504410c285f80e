/** All jobs that this account may see, newest first, as they change. */

import { Anchor, Button, Card, Code, Group, Progress, SimpleGrid, Stack, Text, Title } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import type { Job } from '@assay/client';
import { useJobs } from '../market.ts';
import { JobBadge, MoneyText } from '../parts/figures.tsx';
import { isPassing, ProblemNote } from '../parts/problem-note.tsx';
import { CutNote, Nothing, Waiting } from '../parts/waiting.tsx';
import { dayTime, mostJobs } from '../words.ts';

export function JobsPage() {
  const jobs = useJobs();
  if (jobs.isPending) return <Waiting />;
  const note = jobs.error && <ProblemNote error={jobs.error} onRetry={() => void jobs.refetch()} />;
  if (jobs.data === undefined || (jobs.error && !isPassing(jobs.error))) return note;
  return (
    <Stack gap="lg">
      <title>Jobs · Assay</title>
      <Group justify="space-between">
        <Title order={1} size="h2">
          Jobs
        </Title>
        <Button renderRoot={(props) => <Link to="/submit" {...props} />}>Submit a job</Button>
      </Group>
      {note}
      {jobs.data.length === 0 && <NoJobs />}
      <SimpleGrid cols={{ base: 1, sm: 2, lg: 3 }}>
        {jobs.data.map((job) => (
          <JobCard key={job.id} job={job} />
        ))}
      </SimpleGrid>
      <CutNote rows={jobs.data.length} what="jobs" most={mostJobs} />
    </Stack>
  );
}

function NoJobs() {
  return (
    <Nothing>
      No jobs yet. Submit a folder with a <Code>manifest.json</Code> here, or from a terminal:
      <br />
      <Code>./assay run examples/hello-world --budget 5</Code>
    </Nothing>
  );
}

function JobCard({ job }: { job: Job }) {
  const { agreed, units, replicasRunning } = job.counts;
  const done = units === 0 ? 0 : (100 * agreed) / units;
  return (
    <Card withBorder component="article">
      <Stack gap="xs">
        <Group justify="space-between" wrap="nowrap" align="flex-start">
          <Anchor
            fw={650}
            style={{ overflowWrap: 'anywhere' }}
            renderRoot={(props) => <Link to="/jobs/$jobId" params={{ jobId: job.id }} {...props} />}
          >
            {job.name}
          </Anchor>
          <JobBadge state={job.state} />
        </Group>
        <Progress value={done} aria-label={`${agreed} of ${units} units agreed`} />
        <Group justify="space-between" gap="xs">
          <Text size="sm">
            {agreed} of {units} units agreed
            {replicasRunning > 0 && `, ${replicasRunning} running`}
          </Text>
          <Text size="sm">
            cap <MoneyText value={job.price.cap} />
          </Text>
        </Group>
        <Text size="xs" c="dimmed">
          {dayTime(job.createdAt)}
        </Text>
      </Stack>
    </Card>
  );
}
