/** Where the money went and what the ledger holds, in the order in which it happened. */

import type { FactLine, MoneyLine } from '@assay/client';
import { Badge, Group, Text } from '@mantine/core';
import { clockTime } from '../words.ts';
import { HashText, MoneyText } from './figures.tsx';

export function MoneyTimeline({ lines }: { lines: readonly MoneyLine[] }) {
  if (lines.length === 0) return <Text c="dimmed">No money has moved yet.</Text>;
  return (
    <ol className="timeline">
      {lines.map((line, index) => (
        <li key={`${line.entryId}-${String(index)}`}>
          <Group justify="space-between" align="baseline" gap="xs">
            <Text fw={600}>{line.text}</Text>
            <Text fw={600}>
              <MoneyText value={line.amount} />
            </Text>
          </Group>
          <Text size="sm" c="dimmed">
            {clockTime(line.at)} · {line.from} → {line.to}
          </Text>
        </li>
      ))}
    </ol>
  );
}

function payloadText(payload: unknown): string {
  return JSON.stringify(payload, undefined, 1).slice(0, 400);
}

export function FactTimeline({ lines }: { lines: readonly FactLine[] }) {
  if (lines.length === 0) return <Text c="dimmed">The ledger holds no fact about this job yet.</Text>;
  return (
    <ol className="timeline">
      {lines.map((line) => (
        <li key={`${line.txId}-${line.name}`}>
          <Group gap="xs">
            <Badge variant="default">block {line.block}</Badge>
            <Text fw={600}>
              {line.contract}: {line.name}
            </Text>
          </Group>
          <Text size="sm" c="dimmed">
            {clockTime(line.at)} · transaction <HashText value={line.txId} />
          </Text>
          <details>
            <summary>
              <Text span size="sm">
                What it says
              </Text>
            </summary>
            <pre className="log">{payloadText(line.payload)}</pre>
          </details>
        </li>
      ))}
    </ol>
  );
}
