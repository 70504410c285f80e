/** What the explorer's pages have in common: the search, the ways between them, and news of the chain. */

import type { Found } from '@assay/client';
import { Refusal } from '@assay/core';
import { Alert, Anchor, Button, Group, Stack, Text, TextInput, Title, VisuallyHidden } from '@mantine/core';
import { Link, useNavigate } from '@tanstack/react-router';
import { useState, type FormEvent, type ReactNode } from 'react';
import { useSearch } from '../ledger.ts';
import { useNewBlocks } from '../live-blocks.ts';
import { ProblemNote } from './problem-note.tsx';

interface FrameProps {
  readonly title: string;
  /** Above the title, where the page lies below another. */
  readonly path?: ReactNode;
  readonly children: ReactNode;
}

export function LedgerFrame({ title, path, children }: FrameProps) {
  const newest = useNewBlocks();
  return (
    <Stack gap="lg">
      <title>{`${title} · Assay`}</title>
      <Group justify="space-between" align="flex-end" gap="sm">
        <div className="wraps">
          <nav aria-label="Ledger" className="ledger-ways">
            <Group gap="md">
              <LedgerLink to="/ledger">Blocks</LedgerLink>
              <LedgerLink to="/ledger/facts">Facts</LedgerLink>
              {path}
            </Group>
          </nav>
          <Title order={1} size="h2" mt={4}>
            {title}
          </Title>
        </div>
        <Search />
      </Group>
      <VisuallyHidden role="status">{newest === undefined ? '' : `Block ${newest} was added.`}</VisuallyHidden>
      {children}
    </Stack>
  );
}

function LedgerLink({ to, children }: { to: '/ledger' | '/ledger/facts'; children: string }) {
  return (
    <Anchor
      size="sm"
      renderRoot={(props) => (
        <Link
          to={to}
          activeOptions={{ exact: true, includeSearch: false }}
          activeProps={{ 'aria-current': 'page' }}
          {...props}
        />
      )}
    >
      {children}
    </Anchor>
  );
}

function Search() {
  const navigate = useNavigate();
  const [text, setText] = useState('');
  const open = ({ kind, id }: Found): void => {
    if (kind === 'block') void navigate({ to: '/ledger/blocks/$number', params: { number: id } });
    else if (kind === 'transaction') void navigate({ to: '/ledger/transactions/$txId', params: { txId: id } });
    else if (kind === 'job') void navigate({ to: '/ledger/jobs/$jobId', params: { jobId: id } });
    else void navigate({ to: '/ledger/workers/$workerId', params: { workerId: id } });
  };
  const search = useSearch(open);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (text.trim() !== '') search.mutate(text.trim());
  };
  return (
    <form onSubmit={submit} role="search" className="ledger-search">
      <Group gap="xs" wrap="nowrap" align="flex-start">
        <TextInput
          label="Number, hash or id"
          placeholder="of a block, transaction, job or worker"
          value={text}
          maxLength={100}
          autoComplete="off"
          spellCheck={false}
          style={{ flex: 1, minWidth: 0 }}
          onChange={({ currentTarget }) => setText(currentTarget.value)}
          error={search.error ? searchFault(search.error) : undefined}
          errorProps={{ role: 'alert' }}
        />
        <Button type="submit" loading={search.isPending} mt={25}>
          Find
        </Button>
      </Group>
    </form>
  );
}

function searchFault(error: Error): string {
  return error instanceof Refusal && error.code === 'ledger.not_found'
    ? 'The ledger has nothing of that number or id.'
    : error.message;
}

/** What is not there is no failure: a link leads on. */
export function LedgerProblem({ error, onRetry }: { error: Error; onRetry: () => void }) {
  const code = error instanceof Refusal ? error.code : '';
  if (code === 'ledger.private') {
    return (
      <Alert title="This chain is not shown here" role="status">
        It is that of a private channel, whose members read it from their own peers.
      </Alert>
    );
  }
  // An address whose number or id has another form names nothing either.
  if (code !== 'ledger.not_found' && code !== 'request.malformed')
    return <ProblemNote error={error} onRetry={onRetry} />;
  return (
    <Alert title="The ledger has nothing here" role="status" color="gray">
      <Text size="sm">
        The number or id may be mistyped, or the block is not made yet.{' '}
        <Anchor
          size="sm"
          underline="always"
          renderRoot={(props) => <Link to="/ledger" activeOptions={{ exact: true }} {...props} />}
        >
          To the newest blocks
        </Anchor>
      </Text>
    </Alert>
  );
}
