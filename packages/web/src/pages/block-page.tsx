/** One block: its header, whether it is signed, and its transactions. */

import type { Block } from '@assay/client';
import { Alert, Anchor, Card, Group, Stack, Title } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { useMemo, type ReactNode } from 'react';
import { useBlock, useLedgerHead, useTransactions } from '../ledger.ts';
import { LedgerFrame, LedgerProblem } from '../parts/ledger-frame.tsx';
import { Entry, Hash, Pager, TransactionItem } from '../parts/ledger-lines.tsx';
import { Nothing, Waiting } from '../parts/waiting.tsx';
import { checkBlock } from '../shown.ts';
import { count, dayTime } from '../words.ts';

interface BlockPageProps {
  readonly number: string;
  readonly after: string | undefined;
  readonly onOpen: (after: string | undefined) => void;
}

export function BlockPage({ number, ...paged }: BlockPageProps) {
  const block = useBlock(number);
  return (
    <LedgerFrame title={`Block ${number}`}>
      {block.isPending && <Waiting />}
      {block.error && <LedgerProblem error={block.error} onRetry={() => void block.refetch()} />}
      {block.data && <Shown asked={number} block={block.data} {...paged} />}
    </LedgerFrame>
  );
}

function Shown({ asked, block, ...paged }: { asked: string; block: Block } & Omit<BlockPageProps, 'number'>) {
  return (
    <Stack gap="lg">
      <Neighbours block={block} />
      <SignatureState asked={asked} block={block} />
      <Card withBorder padding="md">
        <Header block={block} />
      </Card>
      <Title order={2} size="h4">
        {count(block.txCount, 'transaction')}
      </Title>
      {block.txCount > 0 && <Transactions number={block.number} {...paged} />}
    </Stack>
  );
}

function Neighbours({ block }: { block: Block }) {
  const head = useLedgerHead();
  const number = BigInt(block.number);
  const newest = BigInt(head.data?.block ?? block.number);
  return (
    <Group gap="md" component="nav" aria-label="Blocks before and after">
      {number > 0n && <Neighbour number={number - 1n}>← Block {String(number - 1n)}</Neighbour>}
      {number < newest && <Neighbour number={number + 1n}>Block {String(number + 1n)} →</Neighbour>}
    </Group>
  );
}

function Neighbour({ number, children }: { number: bigint; children: ReactNode }) {
  const params = { number: number.toString() };
  return (
    <Anchor size="sm" renderRoot={(props) => <Link to="/ledger/blocks/$number" params={params} {...props} />}>
      {children}
    </Anchor>
  );
}

/** Checked here, not believed: the header's hash, what the head names, the signature over the head, and what is shown. */
function SignatureState({ asked, block }: { asked: string; block: Block }) {
  const verdict = useMemo(() => checkBlock(asked, block), [asked, block]);
  if (!verdict.ok) {
    return (
      <Alert color="red" role="alert" title="✗ The block does not hold">
        {verdict.message}
      </Alert>
    );
  }
  return (
    <Alert color="green" title="✓ Checked in this browser: the header hashes to the signed head">
      Signed by the ledger key <Hash value={verdict.ledgerKey} />
    </Alert>
  );
}

function Header({ block }: { block: Block }) {
  const { ordered, genesis, head } = block;
  return (
    <dl className="entries">
      <Entry name="Made">{dayTime(block.at)}</Entry>
      <Entry name="Hash">
        <Hash value={block.hash} />
      </Entry>
      <Entry name="Hash of the block before">
        <Hash value={block.previousHash} />
      </Entry>
      <Entry name="Root over its transactions">
        <Hash value={block.txRoot} />
      </Entry>
      <Entry name="Root of the chain up to it">
        <Hash value={head.chainRoot} />
      </Entry>
      <Entry name="Signature of the head">
        <Hash value={head.signature} />
      </Entry>
      {ordered && (
        <Entry name="Hash of Fabric’s block">
          <Hash value={ordered.hash} />
        </Entry>
      )}
      {ordered && (
        <Entry name="Hash of Fabric’s data">
          <Hash value={ordered.data} />
        </Entry>
      )}
      {genesis && <Entry name="Channel">{genesis.channel}</Entry>}
      {genesis && <Entry name="Organizations">{genesis.organizations.join(', ')}</Entry>}
    </dl>
  );
}

function Transactions({ number, after, onOpen }: BlockPageProps) {
  const list = useTransactions(number, after);
  if (list.isPending) return <Waiting />;
  if (list.error) return <LedgerProblem error={list.error} onRetry={() => void list.refetch()} />;
  const { items, next } = list.data;
  if (items.length === 0) return <Nothing>The block has no more transactions.</Nothing>;
  return (
    <Stack gap="md">
      <ol className="ledger-list" aria-label="Transactions in order">
        {items.map((line) => (
          <TransactionItem key={line.index} line={line} />
        ))}
      </ol>
      <Pager next={next} isFirst={after === undefined} words={['First', 'More']} onOpen={onOpen} />
    </Stack>
  );
}
