/** Where the money went and what the ledger holds, in the order in which it happened. */

import type { FactLine, Job, MoneyLine } from '@assay/client';
import { add, moneyFromJson, moneyToJson, type MoneyJson } from '@assay/core';
import { Anchor, Badge, Group, SimpleGrid, Stack, Text } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { factText, short, timeText } from '../words.ts';
import { Figure, HashText, MoneyText } from './figures.tsx';
import { Nothing } from './waiting.tsx';

export function MoneyTimeline({ job, lines }: { job: Job; lines: readonly MoneyLine[] }) {
  if (lines.length === 0) return <Nothing>No money has moved yet.</Nothing>;
  return (
    <Stack gap="lg">
      <MoneySummary job={job} lines={lines} />
      <ol className="timeline" aria-label="Movements of money">
        {lines.map((line, index) => (
          <li key={`${line.entryId}-${String(index)}`}>
            <div className="line">
              <span>{line.text}</span>
              <MoneyText value={line.amount} />
            </div>
            <Text size="sm" c="dimmed" component="div">
              {timeText(line.at, lines[index - 1]?.at)} · <Party text={line.from} jobId={job.id} /> →{' '}
              <Party text={line.to} jobId={job.id} />
            </Text>
          </li>
        ))}
      </ol>
    </Stack>
  );
}

/** An account in words: this job by that name, other ids short. */
function Party({ text, jobId }: { text: string; jobId: string }) {
  const parts = text.replaceAll(jobId, 'this job').split(/([a-z]{3}_[0-9a-f]{32})/);
  return <>{parts.map((part, index) => (index % 2 === 1 ? <HashText key={part} value={part} /> : part))}</>;
}

/** What was charged, and where all of it went. */
function MoneySummary({ job, lines }: { job: Job; lines: readonly MoneyLine[] }) {
  const { charged, spent, refunded } = job.price;
  return (
    <SimpleGrid cols={{ base: 2, sm: 4 }} spacing="sm">
      <Figure label="Charged">
        <MoneyText value={charged} />
      </Figure>
      <Figure label="Spent on agreed results">
        <MoneyText value={spent} />
      </Figure>
      <Figure label="Commission in it">
        <MoneyText value={commissionOf(lines)} />
      </Figure>
      <Figure label="Returned">
        <MoneyText value={refunded} />
      </Figure>
    </SimpleGrid>
  );
}

function commissionOf(lines: readonly MoneyLine[]): MoneyJson | null {
  const kept = lines.filter(({ kind, to }) => kind === 'settlement' && to.startsWith('commission of'));
  const [first, ...rest] = kept.map(({ amount }) => moneyFromJson(amount));
  return first === undefined ? null : moneyToJson(rest.reduce(add, first));
}

export function FactTimeline({ lines }: { lines: readonly FactLine[] }) {
  if (lines.length === 0) return <Nothing>The ledger holds no fact about this job yet.</Nothing>;
  return (
    <ol className="timeline" aria-label="Facts on the ledger">
      {lines.map((line, index) => (
        <li key={`${line.txId}-${line.name}`}>
          <Group gap="xs" justify="space-between" wrap="nowrap" align="baseline">
            <Text fw={600}>{factText(line)}</Text>
            <Badge variant="default" style={{ flex: 'none' }}>
              block {line.block}
            </Badge>
          </Group>
          <Text size="sm" c="dimmed" component="div">
            {timeText(line.at, lines[index - 1]?.at)} · {line.contract}.{line.name} ·{' '}
            <Anchor
              size="sm"
              underline="always"
              renderRoot={(props) => <Link to="/ledger/transactions/$txId" params={{ txId: line.txId }} {...props} />}
            >
              {short(line.txId)}
            </Anchor>
          </Text>
          <details>
            <summary>
              <Text span size="sm">
                What it says
              </Text>
            </summary>
            <pre className="log">{JSON.stringify(line.payload, undefined, 2)}</pre>
          </details>
        </li>
      ))}
    </ol>
  );
}
