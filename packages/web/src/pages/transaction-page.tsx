/** One transaction: what was asked, by whom, what came of it, and the proof to keep. */

import type { LedgerTransaction } from '@assay/client';
import { Anchor, Card, Stack, Text, Title } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { useTransaction, type Whereabouts } from '../ledger.ts';
import { LedgerFrame, LedgerProblem } from '../parts/ledger-frame.tsx';
import { Entry, Hash, JobLink, Outcome, Payload, WorkerLinks } from '../parts/ledger-lines.tsx';
import { ProofCard } from '../parts/proof-card.tsx';
import { Nothing, Waiting } from '../parts/waiting.tsx';
import { count, dayTime } from '../words.ts';

export function TransactionPage({ where }: { where: Whereabouts }) {
  const transaction = useTransaction(where);
  return (
    <LedgerFrame title="Transaction">
      {transaction.isPending && <Waiting />}
      {transaction.error && <LedgerProblem error={transaction.error} onRetry={() => void transaction.refetch()} />}
      {transaction.data && <Shown transaction={transaction.data} />}
    </LedgerFrame>
  );
}

function Shown({ transaction }: { transaction: LedgerTransaction }) {
  return (
    <Stack gap="lg">
      <Card withBorder padding="md">
        <Particulars transaction={transaction} />
      </Card>
      <Section title="Arguments">
        <Arguments args={transaction.args} />
      </Section>
      <Section title="Facts">
        <Facts transaction={transaction} />
      </Section>
      <Section title="Proof">
        <ProofCard transaction={transaction} />
      </Section>
    </Stack>
  );
}

function Section({ title, children }: { title: string; children: React.ReactNode }) {
  return (
    <section aria-label={title}>
      <Title order={2} size="h4" mb="xs">
        {title}
      </Title>
      {children}
    </section>
  );
}

function Particulars({ transaction: one }: { transaction: LedgerTransaction }) {
  const named = [...one.args, ...one.facts.map((fact) => JSON.stringify(fact.payload))].join(' ');
  return (
    <dl className="entries">
      <Entry name="Function">
        {one.contract}.{one.fn}
      </Entry>
      <Entry name="Outcome">
        <Outcome code={one.code} />
      </Entry>
      <Entry name="Id">
        <Hash value={one.txId} />
      </Entry>
      <Entry name="Block">
        <Anchor
          inherit
          underline="always"
          renderRoot={(props) => <Link to="/ledger/blocks/$number" params={{ number: one.block }} {...props} />}
        >
          Block {one.block}
        </Anchor>
        , number {one.index}, made {dayTime(one.at)}
      </Entry>
      <Entry name="Asked by">
        {one.creator.name !== null && `${one.creator.name} of `}
        {one.creator.mspId || 'nobody that the ledger could name'}, {dayTime(one.proposedAt)}
      </Entry>
      <Entry name="Certificate of who asked">
        <Hash value={one.creator.certificate || 'none'} />
      </Entry>
      <Entry name="Signature of who asked">
        <SignatureText signature={one.signature} />
      </Entry>
      {one.jobId !== null && (
        <Entry name="Job">
          <JobLink jobId={one.jobId} />
        </Entry>
      )}
      {/wrk_[0-9a-f]{32}/.test(named) && (
        <Entry name="Workers">
          <WorkerLinks text={named} />
        </Entry>
      )}
      {one.leaves !== null && (
        <Entry name="Batched facts">
          {count(one.leaves.count, 'text')} under the root <Hash value={one.leaves.root} />
        </Entry>
      )}
      <Entry name="Effects">
        {count(one.reads, 'key')} read, {one.writes} written
      </Entry>
    </dl>
  );
}

const signatureWords: Record<LedgerTransaction['signature']['state'], string> = {
  valid: '✓ by the holder of the certificate, as the server checked it',
  invalid: '✗ not by the holder of the certificate',
  elsewhere: 'on Fabric’s own envelope, which its peers checked',
};

function SignatureText({ signature: { state, value } }: Pick<LedgerTransaction, 'signature'>) {
  return (
    <>
      {signatureWords[state]}
      {value !== null && (
        <div>
          <Hash value={value} />
        </div>
      )}
    </>
  );
}

function Arguments({ args }: { args: readonly string[] }) {
  if (args.length === 0) return <Nothing>It was asked without arguments.</Nothing>;
  return (
    <ol className="ledger-list" aria-label="Arguments in order">
      {args.map((arg, index) => (
        <li key={`${String(index)} ${arg}`} className="ledger-line">
          <pre className="log" tabIndex={0}>
            {readable(arg)}
          </pre>
        </li>
      ))}
    </ol>
  );
}

/** JSON on several lines; other text as it is. */
function readable(text: string): string {
  try {
    const value = JSON.parse(text) as unknown;
    return typeof value === 'object' && value !== null ? JSON.stringify(value, undefined, 2) : text;
  } catch {
    return text;
  }
}

function Facts({ transaction: { code, facts } }: { transaction: LedgerTransaction }) {
  if (facts.length === 0) {
    return <Nothing>{code === 0 ? 'It made nothing known.' : 'It has no effect, so it makes nothing known.'}</Nothing>;
  }
  return (
    <ol className="ledger-list" aria-label="Facts in order">
      {facts.map((fact) => (
        <li key={fact.name} className="ledger-line">
          <Text fw={600}>{fact.name}</Text>
          <Payload value={fact.payload} />
        </li>
      ))}
    </ol>
  );
}
