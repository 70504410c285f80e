/** Money, hashes and states in their one form. */

import type { Job } from '@assay/client';
import { formatMoney, moneyFromJson, type MoneyJson } from '@assay/core';
import { Card, CopyButton, Text, Tooltip, UnstyledButton } from '@mantine/core';
import type { ReactNode } from 'react';
import { jobWords, short } from '../words.ts';

/** `0.99 USD`, or a dash where there is none yet. */
export function MoneyText({ value }: { value: MoneyJson | null }) {
  return (
    <Text span inherit className="figures">
      {value === null ? '–' : formatMoney(moneyFromJson(value))}
    </Text>
  );
}

/** Enough of a hash or id to know it by; a click copies the whole. */
export function HashText({ value }: { value: string }) {
  return (
    <CopyButton value={value}>
      {({ copied, copy }) => (
        <Tooltip label={copied ? 'Copied' : value} multiline maw={300} style={{ overflowWrap: 'anywhere' }}>
          <UnstyledButton className="hash" onClick={copy} aria-label={`${short(value)}, copy the whole`}>
            {copied ? 'copied' : short(value)}
          </UnstyledButton>
        </Tooltip>
      )}
    </CopyButton>
  );
}

export function JobBadge({ state }: { state: Job['state'] }) {
  const word = jobWords[state];
  return (
    <span className="job-badge" data-job-state={state} title={word.text}>
      {word.label}
    </span>
  );
}

/** One figure with its name. */
export function Figure({ label, children, note }: { label: string; children: ReactNode; note?: ReactNode }) {
  return (
    <Card withBorder padding="sm">
      <Text size="xs" c="dimmed">
        {label}
      </Text>
      <Text component="div" size="lg" fw={650} lh={1.4}>
        {children}
      </Text>
      {note !== undefined && (
        <Text component="div" size="xs" c="dimmed">
          {note}
        </Text>
      )}
    </Card>
  );
}
