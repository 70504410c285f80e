/** The ledger as outsiders see it: blocks, facts, proofs, and the gateway for programs in other languages. */

import { contractNames } from '@assay/core';
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

export const LedgerTransaction = named(
  'LedgerTransaction',
  Type.Object({
    txId: sha256,
    contract: Type.String(),
    fn: Type.String(),
    args: Type.Array(Type.String()),
    creator: Type.String(),
    event: nullable(Type.Object({ name: Type.String(), payload: Type.Unknown() })),
  }),
);

export const Block = named(
  'Block',
  Type.Object({
    number: Type.String(),
    hash: sha256,
    previousHash: sha256,
    at: instant,
    transactions: Type.Array(ref(LedgerTransaction)),
  }),
);

export const InclusionProof = named(
  'InclusionProof',
  Type.Object({
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
export const BlockPage = named('BlockPage', page(ref(Block)));

export type Block = Static<typeof Block>;
export type FactLine = Static<typeof FactLine>;
export type SignedHead = Static<typeof SignedHead>;
export type InclusionProof = Static<typeof InclusionProof>;
