import { Center, Loader, Paper, Text } from '@mantine/core';
import type { ReactNode } from 'react';

export function Waiting() {
  return (
    <Center h="12rem">
      <Loader role="status" aria-label="Loading" />
    </Center>
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
