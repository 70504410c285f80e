/** Lines of the explorer's lists, and what moves between their pages. */

import type { BlockLine, FactLine, TransactionLine, WorkerChange } from '@assay/client';
import { Anchor, Badge, Button, Group, Text } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { count, dayTime, factText, outcomeText, short } from '../words.ts';

export function BlockItem({ block }: { block: BlockLine }) {
  return (
    <li className="ledger-line">
      <Group justify="space-between" gap="xs">
        <Group gap="sm">
          <Anchor
            fw={650}
            renderRoot={(props) => <Link to="/ledger/blocks/$number" params={{ number: block.number }} {...props} />}
          >
            Block {block.number}
          </Anchor>
          <Text span size="sm">
            {count(block.txCount, 'transaction')}
          </Text>
        </Group>
        <Text size="sm" c="dimmed">
          {dayTime(block.at)}
        </Text>
      </Group>
      <Hash value={block.hash} />
    </li>
  );
}

export function TransactionItem({ line }: { line: TransactionLine }) {
  return (
    <li className="ledger-line">
      <Group justify="space-between" gap="xs" align="baseline">
        <TransactionLink place={line} />
        <Outcome code={line.code} />
      </Group>
      <Text size="sm" c="dimmed" className="wraps">
        asked by{' '}
        {line.creator.name === null ? line.creator.mspId : `${short(line.creator.name)} of ${line.creator.mspId}`}
        {line.facts.length > 0 && ` · ${line.facts.join(', ')}`}
      </Text>
      <Hash value={line.txId} />
    </li>
  );
}

/** A link to a transaction by its place, which those that do not count have as well. */
export function TransactionLink({ place }: { place: Pick<TransactionLine, 'block' | 'index' | 'contract' | 'fn'> }) {
  const params = { number: place.block, index: String(place.index) };
  return (
    <Anchor
      fw={650}
      className="wraps"
      renderRoot={(props) => <Link to="/ledger/blocks/$number/transactions/$index" params={params} {...props} />}
    >
      {place.contract === '' ? place.fn || 'no call' : `${place.contract}.${place.fn}`}
    </Anchor>
  );
}

export function Outcome({ code }: { code: number }) {
  return (
    <Badge variant="default" className="outcome" data-outcome={code === 0 ? 'valid' : 'invalid'}>
      {outcomeText(code)}
    </Badge>
  );
}

export function FactItem({ fact }: { fact: FactLine }) {
  return (
    <li className="ledger-line">
      <Group justify="space-between" gap="xs" align="baseline">
        <Anchor
          fw={650}
          renderRoot={(props) => <Link to="/ledger/transactions/$txId" params={{ txId: fact.txId }} {...props} />}
        >
          {factText(fact)}
        </Anchor>
        <Text size="sm" c="dimmed">
          {dayTime(fact.at)} · block {fact.block}
        </Text>
      </Group>
      <Text size="sm" c="dimmed" className="wraps">
        {fact.contract}.{fact.name}
      </Text>
      <Payload value={fact.payload} />
    </li>
  );
}

export function WorkerChangeItem({ change }: { change: WorkerChange }) {
  const { counters } = change;
  return (
    <li className="ledger-line">
      <Group justify="space-between" gap="xs" align="baseline">
        <TransactionLink place={change} />
        <Text size="sm" c="dimmed">
          {dayTime(change.at)} · block {change.block}
        </Text>
      </Group>
      {counters && (
        <Text size="sm">
          afterwards {counters.agreed} agreed, {counters.disagreed} disagreed, {counters.lost} lost, {counters.slashed}{' '}
          slashed
        </Text>
      )}
      {change.jobId !== null && (
        <Text size="sm">
          <JobLink jobId={change.jobId} />
        </Text>
      )}
    </li>
  );
}

/** From the ledger to what it holds of a job. */
export function JobLink({ jobId }: { jobId: string }) {
  return (
    <Anchor
      inherit
      className="wraps"
      renderRoot={(props) => <Link to="/ledger/jobs/$jobId" params={{ jobId }} {...props} />}
    >
      {jobId}
    </Anchor>
  );
}

/** The workers that a text names, as links to their records. */
export function WorkerLinks({ text }: { text: string }) {
  const ids = [...new Set(text.match(/wrk_[0-9a-f]{32}/g) ?? [])];
  if (ids.length === 0) return null;
  return (
    <ul className="plain-list" aria-label="Workers named">
      {ids.map((workerId) => (
        <li key={workerId}>
          <Anchor
            inherit
            className="wraps"
            renderRoot={(props) => <Link to="/ledger/workers/$workerId" params={{ workerId }} {...props} />}
          >
            {workerId}
          </Anchor>
        </li>
      ))}
    </ul>
  );
}

/** What a fact says, to unfold. */
export function Payload({ value }: { value: unknown }) {
  return (
    <details>
      <summary>
        <Text span size="sm">
          What it says
        </Text>
      </summary>
      <pre className="log">{JSON.stringify(value, undefined, 2)}</pre>
    </details>
  );
}

/** A hash or id in full, which breaks where the line ends. */
export function Hash({ value }: { value: string }) {
  return <code className="whole-hash">{value}</code>;
}

/** A name and what it is, in a list of such. */
export function Entry({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className="entry">
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

interface PagerProps {
  /** Where the next page begins; null at the end. */
  readonly next: string | null;
  readonly isFirst: boolean;
  readonly words?: readonly [first: string, next: string];
  readonly onOpen: (before: string | undefined) => void;
}

/** Moves on through a list, and back to its beginning. */
export function Pager({ next, isFirst, words: [first, more] = ['Newest', 'Older'], onOpen }: PagerProps) {
  if (next === null && isFirst) return null;
  return (
    <Group gap="xs" component="nav" aria-label="Pages of the list">
      <Button variant="default" disabled={isFirst} onClick={() => onOpen(undefined)}>
        {first}
      </Button>
      <Button variant="default" disabled={next === null} onClick={() => onOpen(next ?? undefined)}>
        {more}
      </Button>
    </Group>
  );
}
