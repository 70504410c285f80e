/** The proof that a transaction is part of the chain: checked here, and the file to keep. */

import type { LedgerTransaction } from '@assay/client';
import type { ProofVerdict } from '@assay/verify';
import { Alert, Button, Code, Stack, Text } from '@mantine/core';
import { useProof } from '../ledger.ts';
import { Hash } from './ledger-lines.tsx';
import { ProblemNote } from './problem-note.tsx';
import { Nothing, Waiting } from './waiting.tsx';

export function ProofCard({ transaction }: { transaction: LedgerTransaction }) {
  const { txId, provable } = transaction;
  const proof = useProof(transaction);
  if (!provable) return <Nothing>It does not count and bears no id of its own, so there is no proof of it.</Nothing>;
  if (proof.isPending) return <Waiting />;
  if (proof.error) return <ProblemNote error={proof.error} onRetry={() => void proof.refetch()} />;
  const { text, verdict } = proof.data;
  const file = `proof-${txId.slice(0, 16)}.json`;
  return (
    <Stack gap="md">
      <Verdict verdict={verdict} />
      <Text size="sm" maw={640}>
        The file holds the transaction, its path to the root of its block, the block&apos;s header, its path to the root
        of the chain, and the signed head. Anyone can check it offline, without an account. Name the ledger key that you
        know, from an earlier visit or from the operator&apos;s own page:
      </Text>
      <Code block tabIndex={0} className="command">
        {`./assay verify ${file} --trust ${verdict.ok ? verdict.summary.ledgerKey : 'KEY'}`}
      </Code>
      <div>
        <Button onClick={() => save(text, file)}>Download the proof</Button>
      </div>
    </Stack>
  );
}

function Verdict({ verdict }: { verdict: ProofVerdict }) {
  if (!verdict.ok) {
    return (
      <Alert color="red" role="alert" title="✗ The proof does not hold">
        {verdict.part}: {verdict.message}
      </Alert>
    );
  }
  const { block, headBlock, ledgerKey } = verdict.summary;
  return (
    <Alert color="green" title="✓ Checked in this browser: the transaction is part of the chain">
      It is in block {block}, under the head of block {headBlock}, signed by the ledger key <Hash value={ledgerKey} />
    </Alert>
  );
}

/** Hands out exactly the text that was checked. */
function save(text: string, file: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: 'application/json' }));
  const link = document.createElement('a');
  link.href = url;
  link.download = file;
  link.click();
  URL.revokeObjectURL(url);
}
