/** Raising a dispute while the challenge window is open; it freezes the money, so it asks for a reason and a second click. */

import type { Job } from '@assay/client';
import { Alert, Button, Card, Group, Stack, Text, Textarea } from '@mantine/core';
import { useState } from 'react';
import { useDispute } from '../market.ts';
import { ProblemNote } from './problem-note.tsx';

export function DisputeForm({ job }: { job: Job }) {
  const dispute = useDispute(job.id);
  const [open, setOpen] = useState(false);
  const [reason, setReason] = useState('');
  if (job.dispute) {
    return (
      <Alert color="orange" title={job.dispute.state === 'open' ? 'Disputed' : 'Dispute resolved'}>
        {job.dispute.reason}
      </Alert>
    );
  }
  if (job.state !== 'verified') return null;
  if (!open) {
    return (
      <Group>
        <Button variant="default" size="xs" onClick={() => setOpen(true)}>
          Dispute the result
        </Button>
      </Group>
    );
  }
  return (
    <Card withBorder>
      <Stack gap="sm">
        <Text size="sm">A dispute freezes the payment until an arbiter has looked at the evidence.</Text>
        <Textarea
          label="What is wrong with the result?"
          required
          autosize
          minRows={2}
          maxLength={2000}
          value={reason}
          onChange={(event) => setReason(event.currentTarget.value)}
        />
        {dispute.error && <ProblemNote error={dispute.error} />}
        <Group>
          <Button
            color="orange"
            disabled={reason.trim() === ''}
            loading={dispute.isPending}
            onClick={() => dispute.mutate(reason.trim())}
          >
            Freeze the payment
          </Button>
          <Button variant="subtle" onClick={() => setOpen(false)}>
            Leave it
          </Button>
        </Group>
      </Stack>
    </Card>
  );
}
