/** Whether a stored transaction bears its creator's signature. */

import { utf8, type BlockHeader, type TransactionRecord } from '@assay/core';
import type { Tx } from '@assay/store';
import { creatorsUnder } from './creators.ts';
import { withOpenssl } from './ed25519.ts';
import { messageOfRecord } from './proposal.ts';

/** `elsewhere`: another network ordered the transaction, and its creator signed that network's envelope. */
export type SignatureState = 'valid' | 'invalid' | 'elsewhere';

const check = withOpenssl();

/** Checks the signature against the certificate that the transaction names, and that against block 0's authorities. */
export async function signatureOf(tx: Tx, record: TransactionRecord): Promise<SignatureState> {
  const [row] = await tx.query<{ header: string; certificate: string | null }>(
    `SELECT header, (SELECT certificate FROM ledger_creator WHERE fingerprint = $1) AS certificate
     FROM ledger_block WHERE number = 0`,
    [record.creator.certificate],
  );
  const first = row && (JSON.parse(row.header) as BlockHeader);
  const { signature } = record;
  if (signature === undefined) return first?.ordered ? 'elsewhere' : 'invalid';
  if (!first?.genesis || row?.certificate === null || row?.certificate === undefined) return 'invalid';
  const creator = creatorsUnder(first.genesis.authorities)(row.certificate);
  if (creator?.mspId !== record.creator.mspId) return 'invalid';
  const message = utf8(messageOfRecord(first.genesis.channel, record));
  return check(Buffer.from(creator.publicKey, 'hex'), message, Buffer.from(signature, 'hex')) ? 'valid' : 'invalid';
}
