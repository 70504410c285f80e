/** All jobs that this account may see, newest first, as they change. */

import { Anchor, Button, Card, Group, Progress, SimpleGrid, Stack, Text, Title } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import type { Job } from '@assay/client';
import { useJobs } from '../market.ts';
import { JobBadge, MoneyText } from '../parts/figures.tsx';
import { ProblemNote } from '../parts/problem-note.tsx';
import { Waiting } from '../parts/waiting.tsx';
import { dayTime } from '../words.ts';

export function JobsPage() {
  const jobs = useJobs();
  if (jobs.isPending) return <Waiting />;
  if (jobs.error) return <ProblemNote error={jobs.error} />;
  return (
    <Stack>
      <Group justify="space-between">
        <Title order={2}>Jobs</Title>
        <Button renderRoot={(props) => <Link to="/submit" {...props} />}>Submit a job</Button>
      </Group>
      {jobs.data.length === 0 && (
        <Text c="dimmed">No jobs yet. Submit a folder with a manifest.json, or run one from the command line.</Text>
      )}
      <SimpleGrid cols={{ base: 1, md: 2, xl: 3 }}>
        {jobs.data.map((job) => (
          <JobCard key={job.id} job={job} />
        ))}
      </SimpleGrid>
    </Stack>
  );
}

function JobCard({ job }: { job: Job }) {
  const done = job.counts.units === 0 ? 0 : (100 * job.counts.agreed) / job.counts.units;
  return (
    <Card withBorder component="article">
      <Stack gap="xs">
        <Group justify="space-between" wrap="nowrap">
          <Anchor
            fw={600}
            renderRoot={(props) => <Link to="/console/jobs/$jobId" params={{ jobId: job.id }} {...props} />}
          >
            {job.name}
          </Anchor>
          <JobBadge state={job.state} />
        </Group>
        <Progress value={done} aria-label={`${job.counts.agreed} of ${job.counts.units} units agreed`} />
        <Group justify="space-between">
          <Text size="sm">
            {job.counts.agreed} of {job.counts.units} units agreed
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
