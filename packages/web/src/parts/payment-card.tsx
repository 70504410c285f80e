/** What a job will cost at most, and the two ways on from there: pay it, or let it go. */

import type { Job } from '@assay/client';
import { Button, Card, Code, Group, Stack, Text } from '@mantine/core';
import { useCancel, usePaymentMode, usePayInTest } from '../market.ts';
import { count } from '../words.ts';
import { MoneyText } from './figures.tsx';
import { ProblemNote } from './problem-note.tsx';

export function PaymentCard({ job }: { job: Job }) {
  const pay = usePayInTest(job.id);
  const mode = usePaymentMode();
  const cancel = useCancel(job.id);
  if (job.state !== 'created') return null;
  const error = pay.error ?? cancel.error ?? mode.error;
  return (
    <Card withBorder padding="lg" component="section" aria-label="Payment">
      <Stack gap="sm">
        <Group justify="space-between" align="baseline">
          <Text>You pay at most</Text>
          <Text fw={700} size="xl">
            <MoneyText value={job.price.cap} />
          </Text>
        </Group>
        <Text size="sm" c="dimmed">
          <MoneyText value={job.price.perReplica} /> for each of {count(job.counts.units * job.redundancy, 'replica')}{' '}
          whose results agree. The bank may take a little more at first, if that is its least; what is not spent returns
          when the job is settled.
        </Text>
        {mode.data === 'live' && (
          <Text size="sm">
            This market takes real money, and this page takes no cards: pay through the API, <Code>POST</Code>{' '}
            <Code>/jobs/{job.id}/pay</Code>, with a payment method of your provider’s.
          </Text>
        )}
        {error && <ProblemNote error={error} />}
        <Group>
          {mode.data === 'sandbox' && (
            <Button onClick={() => pay.mutate()} loading={pay.isPending} disabled={pay.isSuccess || cancel.isPending}>
              {pay.isSuccess ? 'Payment is on its way' : 'Pay with the test card and start'}
            </Button>
          )}
          <Button
            variant="subtle"
            color="gray"
            onClick={() => cancel.mutate()}
            loading={cancel.isPending}
            disabled={pay.isPending || pay.isSuccess}
          >
            Cancel the job
          </Button>
        </Group>
      </Stack>
    </Card>
  );
}
