/** What the ledger holds in the order in which it came: all facts, those of a job, and a worker's record. */

import type { FactLine } from '@assay/client';
import { Anchor, Stack, Text } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { useJobHistory, useLedgerFacts, useWorkerHistory } from '../ledger.ts';
import { LedgerFrame, LedgerProblem } from '../parts/ledger-frame.tsx';
import { FactItem, Hash, Pager, WorkerChangeItem } from '../parts/ledger-lines.tsx';
import { Nothing, Waiting } from '../parts/waiting.tsx';
import type { PagedProps } from './ledger-page.tsx';

export function FactsPage(paged: PagedProps) {
  const facts = useLedgerFacts(paged.before);
  return (
    <LedgerFrame title="Facts">
      <FactList facts={facts} nothing="No facts yet; the first job makes the first." {...paged} />
    </LedgerFrame>
  );
}

export function JobHistoryPage({ jobId, ...paged }: PagedProps & { jobId: string }) {
  const facts = useJobHistory(jobId, paged.before);
  return (
    <LedgerFrame title="A job on the ledger">
      <Stack gap={4}>
        <Hash value={jobId} />
        <Anchor size="sm" renderRoot={(props) => <Link to="/jobs/$jobId" params={{ jobId }} {...props} />}>
          The job itself, for those who may see it
        </Anchor>
      </Stack>
      <FactList facts={facts} nothing="The ledger holds no fact about this job." {...paged} />
    </LedgerFrame>
  );
}

interface FactListProps extends PagedProps {
  readonly facts: {
    readonly isPending: boolean;
    readonly error: Error | null;
    readonly data: { readonly items: readonly FactLine[]; readonly next: string | null } | undefined;
    refetch(): Promise<unknown>;
  };
  readonly nothing: string;
}

function FactList({ facts, nothing, before, onOpen }: FactListProps) {
  if (facts.error) return <LedgerProblem error={facts.error} onRetry={() => void facts.refetch()} />;
  if (facts.data === undefined) return <Waiting />;
  const { items, next } = facts.data;
  if (items.length === 0) return <Nothing>{nothing}</Nothing>;
  return (
    <Stack gap="md">
      <ol className="ledger-list" aria-label="Facts, newest first">
        {items.map((fact) => (
          <FactItem key={fact.position} fact={fact} />
        ))}
      </ol>
      <Pager next={next} isFirst={before === undefined} onOpen={onOpen} />
    </Stack>
  );
}

export function WorkerHistoryPage({ workerId, before, onOpen }: PagedProps & { workerId: string }) {
  return (
    <LedgerFrame title="A worker’s record">
      <div>
        <Hash value={workerId} />
        <Text c="dimmed" size="sm" maw={640}>
          Each line is a transaction that changed the record, with the counters as they stood after it.
        </Text>
      </div>
      <WorkerChanges workerId={workerId} before={before} onOpen={onOpen} />
    </LedgerFrame>
  );
}

function WorkerChanges({ workerId, before, onOpen }: PagedProps & { workerId: string }) {
  const changes = useWorkerHistory(workerId, before);
  if (changes.isPending) return <Waiting />;
  if (changes.error) return <LedgerProblem error={changes.error} onRetry={() => void changes.refetch()} />;
  const { items, next } = changes.data;
  if (items.length === 0) return <Nothing>The ledger holds no record of this worker.</Nothing>;
  return (
    <Stack gap="md">
      <ol className="ledger-list" aria-label="Changes of the record, newest first">
        {items.map((change) => (
          <WorkerChangeItem key={`${change.block}-${change.index}`} change={change} />
        ))}
      </ol>
      <Pager next={next} isFirst={before === undefined} onOpen={onOpen} />
    </Stack>
  );
}
