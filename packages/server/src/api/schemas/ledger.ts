/** The ledger as outsiders see it: blocks, facts, proofs, and the gateway for programs in other languages. */

import { contractNames, proofFormat } from '@assay/core';
import { Type, type Static } from 'typebox';
import { closed, named, nullable, oneOf, ref } from './named.ts';
import { count, instant, page, sha256 } from './scalars.ts';

const contract = oneOf(contractNames);
const text = Type.String({ minLength: 1, maxLength: 100 });

export const InvokeRequest = named(
  'InvokeRequest',
  closed({ contract, fn: text, args: Type.Array(Type.String({ maxLength: 65_536 }), { maxItems: 20 }) }),
);

export const Invoked = named('Invoked', Type.Object({ txId: sha256, block: Type.String(), result: Type.String() }));

export const Queried = named('Queried', Type.Object({ result: Type.String() }));

export const queryQuery = Type.Object({
  contract,
  fn: text,
  args: Type.Optional(Type.String({ maxLength: 65_536, description: 'A JSON array of strings.' })),
});

export const FactLine = named(
  'FactLine',
  Type.Object({
    at: instant,
    block: Type.String(),
    txId: sha256,
    contract,
    name: Type.String(),
    payload: Type.Unknown(),
    position: Type.String({ description: 'Its place in the stream of all facts.' }),
  }),
);

export const SignedHead = named(
  'SignedHead',
  Type.Object({
    block: Type.String(),
    blockHash: sha256,
    chainRoot: sha256,
    at: instant,
    atMs: count,
    publicKey: Type.String(),
    signature: Type.String(),
  }),
);

const creator = Type.Object(
  {
    mspId: Type.String({ description: 'The organisation.' }),
    certificate: Type.String({ description: 'SHA-256 of the certificate (PEM), hex.' }),
    name: nullable(
      Type.String({ description: 'What the certificate calls its holder; for the platform’s own people.' }),
    ),
  },
  { description: 'Who asked.' },
);

const line = {
  block: Type.String(),
  index: count,
  txId: Type.String(),
  at: instant,
  contract: Type.String(),
  fn: Type.String(),
  jobId: nullable(Type.String()),
  creator,
  code: Type.Integer({ description: 'The validation code; 0 counts, any other is in the block without effect.' }),
  facts: Type.Array(Type.String()),
};

export const TransactionLine = named('TransactionLine', Type.Object(line));

export const LedgerTransaction = named(
  'LedgerTransaction',
  Type.Object({
    ...line,
    facts: Type.Array(Type.Object({ name: Type.String(), payload: Type.Unknown() })),
    args: Type.Array(Type.String()),
    result: Type.String(),
    signature: Type.Object({
      value: nullable(Type.String({ description: 'ed25519 by the creator, hex.' })),
      state: oneOf(
        ['valid', 'invalid', 'elsewhere'],
        'As this server checks it; `elsewhere`: the creator signed another network’s envelope.',
      ),
    }),
    leaves: nullable(
      Type.Object(
        { count: Type.Integer({ minimum: 1 }), root: sha256 },
        { description: 'Batched facts: how many texts came with it, and the Merkle root over them.' },
      ),
    ),
    proposedAt: instant,
    reads: count,
    writes: count,
    provable: Type.Boolean({ description: 'Whether `GET /ledger/proofs/{txId}` has a proof of it.' }),
  }),
);

const blockLine = {
  number: Type.String(),
  hash: sha256,
  previousHash: sha256,
  at: instant,
  txCount: count,
};

export const BlockLine = named('BlockLine', Type.Object(blockLine));

export const Block = named(
  'Block',
  Type.Object({
    ...blockLine,
    txRoot: sha256,
    header: Type.String({ description: 'Canonical JSON; the block’s hash is over it.' }),
    head: ref(SignedHead),
    ordered: nullable(
      Type.Object(
        { hash: sha256, previous: Type.String(), data: sha256 },
        { description: 'The same block as Hyperledger Fabric hashes it.' },
      ),
    ),
    genesis: nullable(
      Type.Object({ channel: Type.String(), publicKey: sha256, organizations: Type.Array(Type.String()) }),
    ),
  }),
);

export const WorkerChange = named(
  'WorkerChange',
  Type.Object({
    ...line,
    counters: nullable(Type.Object({ agreed: count, disagreed: count, lost: count, slashed: count })),
  }),
);

export const Found = named(
  'Found',
  Type.Object({ kind: oneOf(['block', 'transaction', 'job', 'worker']), id: Type.String() }),
);

export const InclusionProof = named(
  'InclusionProof',
  Type.Object({
    format: oneOf([proofFormat]),
    transaction: Type.String(),
    txIndex: count,
    txCount: count,
    txPath: Type.Array(sha256),
    header: Type.String(),
    chainPath: Type.Array(sha256),
    head: ref(SignedHead),
  }),
);

export const FactPage = named('FactPage', page(ref(FactLine)));
export const BlockPage = named('BlockPage', page(ref(BlockLine)));
export const TransactionPage = named('TransactionPage', page(ref(TransactionLine)));
export const WorkerChangePage = named('WorkerChangePage', page(ref(WorkerChange)));

export type Block = Static<typeof Block>;
export type BlockLine = Static<typeof BlockLine>;
export type TransactionLine = Static<typeof TransactionLine>;
export type LedgerTransaction = Static<typeof LedgerTransaction>;
export type WorkerChange = Static<typeof WorkerChange>;
export type FactLine = Static<typeof FactLine>;
export type SignedHead = Static<typeof SignedHead>;
export type InclusionProof = Static<typeof InclusionProof>;
