/** The newest blocks of the ledger and its signed head, as they are made. */

import type { SignedHead } from '@assay/client';
import { SimpleGrid, Stack, Text } from '@mantine/core';
import { useBlocks, useLedgerHead } from '../ledger.ts';
import { Figure, HashText } from '../parts/figures.tsx';
import { LedgerFrame, LedgerProblem } from '../parts/ledger-frame.tsx';
import { BlockItem, Pager } from '../parts/ledger-lines.tsx';
import { Nothing, Waiting } from '../parts/waiting.tsx';
import { dayTime } from '../words.ts';

/** Which part of a list a page shows: what comes before this place; the newest without one. */
export interface PagedProps {
  readonly before: string | undefined;
  readonly onOpen: (before: string | undefined) => void;
}

export function LedgerPage(paged: PagedProps) {
  const head = useLedgerHead();
  return (
    <LedgerFrame title="Ledger">
      <Text c="dimmed" size="sm" maw={640}>
        Each block holds the hash of the one before it, and the head is signed: nobody can change a fact later without
        its being seen. Receipts carry proofs against this head.
      </Text>
      {head.data && <Head head={head.data} />}
      <Blocks {...paged} />
    </LedgerFrame>
  );
}

function Blocks({ before, onOpen }: PagedProps) {
  const blocks = useBlocks(before);
  if (blocks.isPending) return <Waiting />;
  if (blocks.error) return <LedgerProblem error={blocks.error} onRetry={() => void blocks.refetch()} />;
  const { items, next } = blocks.data;
  if (items.length === 0) return <Nothing>No blocks here; the first job makes the first.</Nothing>;
  return (
    <Stack gap="md">
      <ol className="ledger-list" aria-label="Blocks, newest first">
        {items.map((block) => (
          <BlockItem key={block.number} block={block} />
        ))}
      </ol>
      <Pager next={next} isFirst={before === undefined} onOpen={onOpen} />
    </Stack>
  );
}

function Head({ head }: { head: SignedHead }) {
  return (
    <SimpleGrid cols={{ base: 2, sm: 4 }} spacing="sm">
      <Figure label="Signed head" note={dayTime(head.at)}>
        Block {head.block}
      </Figure>
      <Figure label="Root of the chain">
        <HashText value={head.chainRoot} />
      </Figure>
      <Figure label="Signature">
        <HashText value={head.signature} />
      </Figure>
      <Figure label="Key of the ledger">
        <HashText value={head.publicKey} />
      </Figure>
    </SimpleGrid>
  );
}
