import { Alert, Center, Loader, Paper, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { cutText } from '../words.ts';

export function Waiting() {
  return (
    <Center h="12rem">
      <Loader role="status" aria-label="Loading" />
    </Center>
  );
}

/** Says under a list that it ends before its end. */
export function CutNote({ rows, what, most }: { rows: number; what: string; most?: number }) {
  const text = cutText(rows, what, most);
  if (text === undefined) return null;
  return (
    <Alert color="yellow" variant="light" py="xs">
      {text}
    </Alert>
  );
}

/** What stands where there is nothing yet, and when there will be. */
export function Nothing({ children }: { children: ReactNode }) {
  return (
    <Paper withBorder p="xl" ta="center">
      <Text c="dimmed" component="div">
        {children}
      </Text>
    </Paper>
  );
}
