/** One job: its units as they run, its money, its facts, its logs, its results and its receipt. */

import type { Job, Unit } from '@assay/client';
import { Alert, Anchor, Card, Group, Progress, SimpleGrid, Stack, Tabs, Text, Title } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { useFacts, useJob, useLogs, useMoney, useUnits } from '../market.ts';
import { DisputeForm } from '../parts/dispute-form.tsx';
import { Figure, HashText, JobBadge, MoneyText } from '../parts/figures.tsx';
import { LogView } from '../parts/log-view.tsx';
import { PaymentCard } from '../parts/payment-card.tsx';
import { isPassing, ProblemNote } from '../parts/problem-note.tsx';
import { ReceiptCard } from '../parts/receipt-card.tsx';
import { ResultList } from '../parts/results.tsx';
import { Stages, StateSentence } from '../parts/stages.tsx';
import { FactTimeline, MoneyTimeline } from '../parts/timelines.tsx';
import { UnitGrid } from '../parts/unit-grid.tsx';
import { CutNote, Nothing, Waiting } from '../parts/waiting.tsx';
import { count } from '../words.ts';

/** The page's sections, as they stand in its address. */
export const jobSections = ['units', 'money', 'ledger', 'logs', 'results', 'receipt'] as const;
export type JobSection = (typeof jobSections)[number];

/** Those of the job: undefined until they are read, null where they cannot be. */
type Units = readonly Unit[] | null | undefined;

interface SectionProps {
  readonly section: JobSection;
  readonly onSection: (section: JobSection) => void;
}

export function JobPage({ jobId, ...open }: SectionProps & { jobId: string }) {
  const job = useJob(jobId);
  const units = useUnits(jobId);
  if (job.isPending) return <Waiting />;
  const note = job.error && <ProblemNote error={job.error} onRetry={() => void job.refetch()} />;
  if (job.data === undefined || (job.error && !isPassing(job.error))) return note;
  return (
    <Stack gap="lg">
      <title>{`${job.data.name} · Assay`}</title>
      {note}
      <Heading job={job.data} />
      {job.data.failure && (
        <Alert color="red" title="The job failed" role="alert">
          {job.data.failure.text} ({job.data.failure.code})
        </Alert>
      )}
      <PaymentCard job={job.data} />
      {units.error && <ProblemNote error={units.error} onRetry={() => void units.refetch()} />}
      <Sections job={job.data} units={units.data ?? (units.error ? null : undefined)} {...open} />
    </Stack>
  );
}

function Heading({ job }: { job: Job }) {
  return (
    <Stack gap="md">
      <div>
        <Anchor size="sm" renderRoot={(props) => <Link to="/" {...props} />}>
          ← All jobs
        </Anchor>
        <Group gap="sm" mt={4}>
          <Title order={1} size="h2" style={{ overflowWrap: 'anywhere' }}>
            {job.name}
          </Title>
          <JobBadge state={job.state} />
        </Group>
        <Text c="dimmed" size="sm" maw={640} mt={6}>
          <StateSentence job={job} />
        </Text>
      </div>
      <Card withBorder padding="md">
        <Stages job={job} />
      </Card>
      <DisputeForm job={job} />
    </Stack>
  );
}

function Summary({ job, units }: { job: Job; units: readonly Unit[] }) {
  const replicas = units.flatMap((unit) => unit.replicas);
  const caught = replicas.filter((replica) => replica.state === 'disagreed').length;
  const running = job.counts.replicasRunning;
  const done = job.counts.units === 0 ? 0 : (100 * job.counts.agreed) / job.counts.units;
  return (
    <SimpleGrid cols={{ base: 2, sm: 4 }} spacing="sm">
      <Figure label="Units agreed" note={<Progress value={done} mt={8} aria-label={`${Math.round(done)} percent`} />}>
        {job.counts.agreed} of {job.counts.units}
      </Figure>
      <Figure
        label="Replicas"
        note={[running > 0 && `${running} running`, caught > 0 && `${caught} caught`].filter(Boolean).join(', ')}
      >
        {replicas.length}
      </Figure>
      <Figure
        label="Cap"
        note={
          <>
            <MoneyText value={job.price.perReplica} /> for each accepted replica
          </>
        }
      >
        <MoneyText value={job.price.cap} />
      </Figure>
      <Figure label="Manifest" note={`${count(job.bundle.files, 'file')}, ${job.redundancy} replicas a unit`}>
        <HashText value={job.manifestHash} />
      </Figure>
    </SimpleGrid>
  );
}

function Sections({ job, units, section, onSection }: SectionProps & { job: Job; units: Units }) {
  return (
    <Tabs
      value={section}
      onChange={(next) => onSection(jobSections.find((name) => name === next) ?? 'units')}
      keepMounted={false}
    >
      <Tabs.List className="tabs-row" aria-label="Sections of this job">
        {jobSections.map((name) => (
          <Tabs.Tab key={name} value={name} tt="capitalize">
            {name}
          </Tabs.Tab>
        ))}
      </Tabs.List>
      <Tabs.Panel value={section} pt="md">
        <Section job={job} units={units} section={section} />
      </Tabs.Panel>
    </Tabs>
  );
}

function Section({ job, units, section }: { job: Job; units: Units; section: JobSection }) {
  if (section === 'money') return <Money job={job} />;
  if (section === 'ledger') return <Facts jobId={job.id} />;
  if (section === 'logs') return <Logs jobId={job.id} units={units ?? []} />;
  if (section === 'results') return <ResultList job={job} />;
  if (section === 'receipt') return <ReceiptCard job={job} />;
  if (units === undefined) return <Waiting />;
  if (units === null) return null;
  if (units.length === 0) return <Nothing>The units are made when the job is paid.</Nothing>;
  return (
    <Stack gap="md">
      <Summary job={job} units={units} />
      <CutNote rows={units.length} what="units" />
      <UnitGrid units={units} />
    </Stack>
  );
}

function Money({ job }: { job: Job }) {
  const money = useMoney(job.id);
  if (money.isPending) return <Waiting />;
  if (money.error) return <ProblemNote error={money.error} />;
  return (
    <Stack gap="md">
      <CutNote rows={money.data.length} what="movements" />
      <MoneyTimeline job={job} lines={money.data} />
    </Stack>
  );
}

function Facts({ jobId }: { jobId: string }) {
  const facts = useFacts(jobId);
  if (facts.isPending) return <Waiting />;
  if (facts.error) return <ProblemNote error={facts.error} />;
  return (
    <Stack gap="md">
      <CutNote rows={facts.data.length} what="facts" />
      <FactTimeline lines={facts.data} />
    </Stack>
  );
}

function Logs({ jobId, units }: { jobId: string; units: readonly Unit[] }) {
  const logs = useLogs(jobId);
  const names = new Map(
    units.flatMap((unit) =>
      unit.replicas.map((replica): [string, string] => [
        replica.id,
        `${unit.kind === 'merge' ? 'merge' : `unit ${unit.ordinal}`} · ${replica.workerName}`,
      ]),
    ),
  );
  if (logs.isPending) return <Waiting />;
  if (logs.error) return <ProblemNote error={logs.error} />;
  return (
    <Stack gap="md">
      <LogView lines={logs.data} names={names} />
      <CutNote rows={logs.data.length} what="lines" />
    </Stack>
  );
}
