/** One job: its units as they run, its money, its facts, its logs, its results and its receipt. */

import type { Job, Unit } from '@assay/client';
import { Alert, Card, Group, Progress, SimpleGrid, Stack, Tabs, Text, Title } from '@mantine/core';
import type { ReactNode } from 'react';
import { useFacts, useJob, useLogs, useMoney, useUnits } from '../market.ts';
import { DisputeForm } from '../parts/dispute-form.tsx';
import { HashText, JobBadge, MoneyText } from '../parts/figures.tsx';
import { LogView } from '../parts/log-view.tsx';
import { PaymentCard } from '../parts/payment-card.tsx';
import { ProblemNote } from '../parts/problem-note.tsx';
import { ReceiptCard, ResultList } from '../parts/results.tsx';
import { FactTimeline, MoneyTimeline } from '../parts/timelines.tsx';
import { UnitGrid } from '../parts/unit-grid.tsx';
import { Waiting } from '../parts/waiting.tsx';
import { dayTime, jobWords } from '../words.ts';

export function JobPage({ jobId }: { jobId: string }) {
  const job = useJob(jobId);
  const units = useUnits(jobId);
  if (job.isPending) return <Waiting />;
  if (job.error) return <ProblemNote error={job.error} />;
  return (
    <Stack>
      <Heading job={job.data} />
      {job.data.failure && (
        <Alert color="red" title="The job failed" role="alert">
          {job.data.failure.text}{' '}
          <Text span c="dimmed">
            ({job.data.failure.code})
          </Text>
        </Alert>
      )}
      <PaymentCard job={job.data} />
      <Summary job={job.data} units={units.data ?? []} />
      <DisputeForm job={job.data} />
      <Sections job={job.data} units={units.data ?? []} />
    </Stack>
  );
}

function Heading({ job }: { job: Job }) {
  return (
    <div>
      <Group gap="sm">
        <Title order={2}>{job.name}</Title>
        <JobBadge state={job.state} />
      </Group>
      <Text c="dimmed" size="sm">
        {jobWords[job.state].text}
        {job.state === 'verified' && job.releaseDueAt && ` It closes at ${dayTime(job.releaseDueAt)}.`}
      </Text>
    </div>
  );
}

function Summary({ job, units }: { job: Job; units: readonly Unit[] }) {
  const replicas = units.flatMap((unit) => unit.replicas);
  const caught = replicas.filter((replica) => replica.state === 'disagreed').length;
  const done = job.counts.units === 0 ? 0 : (100 * job.counts.agreed) / job.counts.units;
  return (
    <SimpleGrid cols={{ base: 2, sm: 4 }}>
      <Fact label="Units agreed">
        {job.counts.agreed} of {job.counts.units}
        <Progress value={done} mt={6} aria-label={`${Math.round(done)} percent of the units agreed`} />
      </Fact>
      <Fact label="Replicas">
        {replicas.length} <Text span size="sm" c={caught > 0 ? 'red.9' : 'dimmed'}>{`${caught} caught`}</Text>
      </Fact>
      <Fact label="Price">
        <MoneyText value={job.price.perReplica} />
        <Text size="xs" c="dimmed">
          per accepted replica, cap <MoneyText value={job.price.cap} />
        </Text>
      </Fact>
      <Fact label="Manifest">
        <HashText value={job.manifestHash} />
        <Text size="xs" c="dimmed">
          {job.bundle.files} files, {job.redundancy} replicas a unit
        </Text>
      </Fact>
    </SimpleGrid>
  );
}

function Fact({ label, children }: { label: string; children: ReactNode }) {
  return (
    <Card withBorder padding="sm">
      <Text size="xs" c="dimmed">
        {label}
      </Text>
      <Text component="div" fw={600}>
        {children}
      </Text>
    </Card>
  );
}

function Sections({ job, units }: { job: Job; units: readonly Unit[] }) {
  return (
    <Tabs defaultValue="units" keepMounted={false}>
      <Tabs.List>
        <Tabs.Tab value="units">Units</Tabs.Tab>
        <Tabs.Tab value="money">Money</Tabs.Tab>
        <Tabs.Tab value="facts">Ledger</Tabs.Tab>
        <Tabs.Tab value="logs">Logs</Tabs.Tab>
        <Tabs.Tab value="results">Results</Tabs.Tab>
        <Tabs.Tab value="receipt">Receipt</Tabs.Tab>
      </Tabs.List>
      <Tabs.Panel value="units" pt="md">
        <UnitGrid units={units} />
      </Tabs.Panel>
      <Tabs.Panel value="money" pt="md">
        <Money jobId={job.id} />
      </Tabs.Panel>
      <Tabs.Panel value="facts" pt="md">
        <Facts jobId={job.id} />
      </Tabs.Panel>
      <Tabs.Panel value="logs" pt="md">
        <Logs jobId={job.id} units={units} />
      </Tabs.Panel>
      <Tabs.Panel value="results" pt="md">
        <ResultList job={job} />
      </Tabs.Panel>
      <Tabs.Panel value="receipt" pt="md">
        <ReceiptCard job={job} />
      </Tabs.Panel>
    </Tabs>
  );
}

function Money({ jobId }: { jobId: string }) {
  const money = useMoney(jobId);
  if (money.isPending) return <Waiting />;
  return money.error ? <ProblemNote error={money.error} /> : <MoneyTimeline lines={money.data} />;
}

function Facts({ jobId }: { jobId: string }) {
  const facts = useFacts(jobId);
  if (facts.isPending) return <Waiting />;
  return facts.error ? <ProblemNote error={facts.error} /> : <FactTimeline lines={facts.data} />;
}

function Logs({ jobId, units }: { jobId: string; units: readonly Unit[] }) {
  const logs = useLogs(jobId);
  const names = new Map(
    units.flatMap((unit) =>
      unit.replicas.map((replica): [string, string] => [
        replica.id,
        `${unit.kind === 'merge' ? 'merge' : String(unit.ordinal)} · ${replica.workerName}`,
      ]),
    ),
  );
  if (logs.isPending) return <Waiting />;
  return logs.error ? <ProblemNote error={logs.error} /> : <LogView lines={logs.data} names={names} />;
}
