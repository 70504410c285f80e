/** Where the account is signed in, with a way to end each but this one. */

import type { OpenSession } from '@assay/client';
import { Badge, Button, Card, Group, Stack, Text, Title } from '@mantine/core';
import { mostSessions, useEndOtherSessions, useEndSession, useSessions } from '../account.ts';
import { dayTime } from '../words.ts';
import { ProblemNote } from './problem-note.tsx';
import { CutNote, Waiting } from './waiting.tsx';

export function SessionList() {
  const sessions = useSessions();
  const end = useEndSession();
  const endOthers = useEndOtherSessions();
  const error = end.error ?? endOthers.error;
  return (
    <Card withBorder component="section" aria-labelledby="sessions">
      <Stack gap="sm">
        <Group justify="space-between">
          <Title order={2} size="h4" id="sessions">
            Sessions
          </Title>
          {(sessions.data?.length ?? 0) > 1 && (
            <Button
              variant="default"
              size="xs"
              loading={endOthers.isPending}
              onClick={() => endOthers.mutate(undefined)}
            >
              End all others
            </Button>
          )}
        </Group>
        {sessions.isPending && <Waiting />}
        {sessions.error && <ProblemNote error={sessions.error} onRetry={() => void sessions.refetch()} />}
        {error && <ProblemNote error={error} />}
        <Stack gap="xs" component="ul" p={0} m={0} style={{ listStyle: 'none' }}>
          {sessions.data?.map((session) => (
            <SessionLine
              key={session.id}
              session={session}
              ending={end.isPending && end.variables === session.id}
              onEnd={() => end.mutate(session.id)}
            />
          ))}
        </Stack>
        <CutNote rows={sessions.data?.length ?? 0} what="sessions" most={mostSessions} />
      </Stack>
    </Card>
  );
}

interface SessionLineProps {
  readonly session: OpenSession;
  readonly ending: boolean;
  readonly onEnd: () => void;
}

function SessionLine({ session, ending, onEnd }: SessionLineProps) {
  const { client, createdAt, lastUsedAt, current } = session;
  const since = dayTime(createdAt);
  return (
    <Group component="li" justify="space-between" wrap="nowrap">
      <div>
        <Text size="sm" fw={600}>
          {client}
        </Text>
        <Text size="xs" c="dimmed">
          Signed in {since}, last used {dayTime(lastUsedAt)}
        </Text>
      </div>
      {current ? (
        <Badge variant="light" style={{ flexShrink: 0 }}>
          this one
        </Badge>
      ) : (
        <Button
          variant="default"
          size="xs"
          style={{ flexShrink: 0 }}
          loading={ending}
          aria-label={`End the session of ${client}, signed in ${since}`}
          onClick={onEnd}
        >
          End
        </Button>
      )}
    </Group>
  );
}
