/** What a job will cost at most, and the two ways on from there: pay it, or let it go. */

import type { Job } from '@assay/client';
import { Button, Card, Group, Stack, Text } from '@mantine/core';
import { useCancel, usePay } from '../market.ts';
import { MoneyText } from './figures.tsx';
import { ProblemNote } from './problem-note.tsx';

export function PaymentCard({ job }: { job: Job }) {
  const pay = usePay(job.id);
  const cancel = useCancel(job.id);
  if (job.state !== 'created') return null;
  const replicas = job.counts.units * job.redundancy;
  const error = pay.error ?? cancel.error;
  return (
    <Card withBorder>
      <Stack gap="sm">
        <Text>
          You pay at most{' '}
          <Text span fw={700}>
            <MoneyText value={job.price.cap} />
          </Text>
          : <MoneyText value={job.price.perReplica} /> for each of {replicas} accepted replicas. What is not spent
          returns when the job is settled.
        </Text>
        {error && <ProblemNote error={error} />}
        <Group>
          <Button onClick={() => pay.mutate()} loading={pay.isPending} disabled={pay.isSuccess}>
            {pay.isSuccess ? 'Payment is on its way' : 'Pay with the test card and start'}
          </Button>
          <Button variant="subtle" color="gray" onClick={() => cancel.mutate()} loading={cancel.isPending}>
            Cancel the job
          </Button>
        </Group>
      </Stack>
    </Card>
  );
}
