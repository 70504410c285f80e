/** Money, hashes and states in their one form. */

import type { Job } from '@assay/client';
import { formatMoney, moneyFromJson, type MoneyJson } from '@assay/core';
import { Badge, CopyButton, Text, Tooltip, UnstyledButton } from '@mantine/core';
import { jobWords, short } from '../words.ts';

/** `0.99 USD`, or a dash where there is none yet. */
export function MoneyText({ value }: { value: MoneyJson | null }) {
  return (
    <Text span inherit className="figures">
      {value === null ? '–' : formatMoney(moneyFromJson(value))}
    </Text>
  );
}

/** The start of a hash or id; a click copies the whole. */
export function HashText({ value }: { value: string }) {
  return (
    <CopyButton value={value}>
      {({ copied, copy }) => (
        <Tooltip label={copied ? 'Copied' : value} multiline maw={320} style={{ overflowWrap: 'anywhere' }}>
          <UnstyledButton className="hash" onClick={copy} aria-label={`Copy ${value}`}>
            {short(value)}
          </UnstyledButton>
        </Tooltip>
      )}
    </CopyButton>
  );
}

export function JobBadge({ state }: { state: Job['state'] }) {
  const word = jobWords[state];
  return (
    <Badge color={word.color} variant="light" autoContrast title={word.text}>
      {word.label}
    </Badge>
  );
}
