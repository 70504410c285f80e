/** An error as a person can act on it: the sentence, the code, and the faults that a form can show. */

import { Alert, Button, Code, List, Text } from '@mantine/core';
import { Refusal, Fault } from '@assay/core';

interface FaultLine {
  readonly path: string;
  readonly message: string;
}

function isFaultLine(value: unknown): value is FaultLine {
  return typeof value === 'object' && value !== null && 'path' in value && 'message' in value;
}

/** Whether what was read before still stands: a refusal says that it does not, a failure says nothing of it. */
export function isPassing(error: Error): boolean {
  return !(error instanceof Refusal) || error.code === 'request.rate_limited';
}

export function ProblemNote({ error, onRetry }: { error: unknown; onRetry?: () => void }) {
  const known = error instanceof Refusal || error instanceof Fault;
  const message = error instanceof Error ? error.message : String(error);
  const listed = error instanceof Refusal ? error.details['faults'] : undefined;
  const faults: FaultLine[] = Array.isArray(listed) ? listed.filter(isFaultLine) : [];
  return (
    <Alert color="red" role="alert" title={known ? 'That did not work' : 'Something failed'}>
      <Text size="sm">{message}</Text>
      {faults.length > 0 && (
        <List size="sm" mt="xs">
          {faults.map((fault) => (
            <List.Item key={`${fault.path} ${fault.message}`}>
              <Code>{fault.path}</Code> {fault.message}
            </List.Item>
          ))}
        </List>
      )}
      {known && (
        <Text size="xs" c="dimmed" mt="xs">
          {error.code}
        </Text>
      )}
      {onRetry && (
        <Button mt="sm" size="xs" variant="default" onClick={onRetry}>
          Try again
        </Button>
      )}
    </Alert>
  );
}
