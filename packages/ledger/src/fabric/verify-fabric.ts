/**
 * `assay ledger verify` for Fabric: reads every block from a peer, checks hashes and orderers' signatures, makes the
 * mirror again and holds each row of the ledger's tables against it.
 */

import { dirname } from 'node:path';
import { common } from '@hyperledger/fabric-protos';
import { platformMsp } from '@assay/contracts';
import { Fault, limits, type Clock } from '@assay/core';
import type { Database, Tx } from '@assay/store';
import { noBlock } from '../block.ts';
import { subjectOf } from '../facts-of-event.ts';
import type { LedgerKey } from '../keys.ts';
import type { BlockRows, HeadRow } from '../ledger-rows.ts';
import { headAfter } from '../make-block.ts';
import { startReplay, type Replay } from '../replay.ts';
import { checkCreators, checkUsedCreators, compareTables, reportOf, type LedgerReport } from '../verify-ledger.ts';
import { authoritiesOf } from './channel-authorities.ts';
import { decodeBlock, type DecodedBlock } from './decode-block.ts';
import { mirrorBlock } from './mirror-block.ts';
import { readProfile } from './network/profile.ts';
import { ordererSignatures } from './orderer-signatures.ts';
import { openPeers, type Peers } from './peers.ts';
import { openWallet, type FabricMember } from './wallet.ts';

export interface VerifyFabricOptions {
  readonly db: Database;
  readonly key: LedgerKey;
  readonly profile: string;
  readonly channel: string;
  readonly clock: Clock;
}

/** Finds what in the tables does not follow from the peer's blocks, and what is wrong with these. */
export async function verifyFabricLedger(options: VerifyFabricOptions): Promise<LedgerReport> {
  const profile = await readProfile(options.profile);
  const member = await openWallet(profile, options.clock).member({
    mspId: platformMsp,
    name: 'projection',
    roles: ['auditor'],
  });
  const peers = await openPeers(profile, options.channel, options.clock);
  try {
    return await options.db.transaction(async (tx) => {
      await tx.query('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY');
      return verifyIn(tx, options, profile.chaincode, peers, member);
    });
  } finally {
    peers.close();
  }
}

interface Progress {
  readonly replay: Replay;
  head: HeadRow;
  previous: string;
  isSigned: (block: common.Block) => boolean;
}

async function verifyIn(
  tx: Tx,
  options: VerifyFabricOptions,
  chaincode: string,
  peers: Peers,
  member: FabricMember,
): Promise<LedgerReport> {
  const replay = startReplay();
  const head: HeadRow = { nextBlock: 0n, nextFact: 1n, atMs: 0, hash: noBlock, peaks: [], nowMs: 0 };
  const progress: Progress = { replay, head, previous: '', isSigned: () => true };
  const certificates = await checkCreators(tx, replay.problems);
  const [row] = await tx.query<{ next_block: bigint }>('SELECT next_block FROM ledger_head');
  const count = row?.next_block ?? 0n;
  await requireHeight(peers, member, count, dirname(options.profile));
  if (count > 0n) {
    const events = await peers.network(member).getBlockEvents({ startBlock: 0n });
    try {
      for await (const raw of events) {
        await checkBlock(tx, options, chaincode, progress, raw);
        if (progress.head.nextBlock === count || replay.problems.length >= limits.ledgerProblems) break;
      }
    } finally {
      events.close();
    }
  } else replay.problems.push({ table: 'ledger_block', block: null, what: 'there is no block' });
  checkUsedCreators(replay, certificates);
  await compareTables(tx, replay);
  return reportOf(replay);
}

/** A peer that has fewer blocks would let us wait for the rest. */
async function requireHeight(peers: Peers, member: FabricMember, count: bigint, folder: string): Promise<void> {
  const network = peers.network(member);
  const bytes = await network
    .getContract('qscc')
    .evaluateTransaction('GetChainInfo', network.getName())
    .catch((error: unknown) => {
      const what = `the network’s peer does not answer; a local one starts with ./assay fabric up --folder ${folder}`;
      throw new Fault('ledger.unavailable', what, { cause: error, retry: true });
    });
  const height = common.BlockchainInfo.deserializeBinary(bytes).getHeight();
  if (BigInt(height) < count) {
    throw new Fault('ledger.tampered', `the peer has ${height} blocks, this database ${count}`, { retry: false });
  }
}

async function checkBlock(
  tx: Tx,
  { key, channel }: VerifyFabricOptions,
  chaincode: string,
  progress: Progress,
  raw: common.Block,
): Promise<void> {
  const { replay, head } = progress;
  const number = Number(head.nextBlock);
  const problem = (what: string): void => {
    replay.problems.push({ table: 'Fabric', block: number, what });
  };
  const block = decodeBlock(raw, chaincode);
  if (!block) return problem('the data do not hash to what the header says');
  if (block.number !== number) return problem(`the peer gave block ${block.number} in its place`);
  const genesis = number === 0 ? { channel, publicKey: key.publicKey, authorities: authoritiesOf(raw) } : undefined;
  if (genesis) progress.isSigned = ordererSignatures(raw);
  else {
    if (block.previousHash !== progress.previous) problem('the header does not name the block before');
    if (!progress.isSigned(raw)) problem('no orderer of the channel signed the block');
  }
  const rows = mirrorBlock(head, block, key, genesis);
  await compareBlock(tx, replay, rows);
  apply(replay, rows, block);
  progress.previous = block.hash;
  progress.head = headAfter(head, rows);
}

async function compareBlock(tx: Tx, replay: Replay, rows: BlockRows): Promise<void> {
  const { block, blockHash, chainRoot, signature } = rows.head;
  const number = Number(block);
  const stored = await tx.query<Record<string, unknown>>(
    'SELECT header, hash, chain_root, signature FROM ledger_block WHERE number = $1',
    [block],
  );
  const expected = { header: rows.headerText, hash: blockHash, chain_root: chainRoot, signature };
  if (JSON.stringify(stored) !== JSON.stringify([expected])) {
    replay.problems.push({
      table: 'ledger_block',
      block: number,
      what: 'the block is not what the peer’s block gives',
    });
  }
  const transactions = await tx.query<Record<string, unknown>>(
    `SELECT tx_id AS "txId", idempotency_key AS key, code, transaction FROM ledger_tx WHERE block = $1 ORDER BY tx_index`,
    [block],
  );
  if (JSON.stringify(transactions) !== JSON.stringify(rows.transactions)) {
    replay.problems.push({
      table: 'ledger_tx',
      block: number,
      what: 'the transactions are not those of the peer’s block',
    });
  }
}

function apply(replay: Replay, rows: BlockRows, block: DecodedBlock): void {
  const number = block.number;
  for (const [txIndex, { record, code, isOurs }] of block.transactions.entries()) {
    if (!isOurs || code !== 0) continue;
    replay.state.apply(record.writes, { txId: record.txId, atMs: record.atMs, version: [number, txIndex] });
    for (const [key] of record.writes) replay.history.add(`${Buffer.from(key).toString('hex')}/${number}/${txIndex}`);
  }
  for (const { txIndex, txId, contract, name, payload, atMs } of rows.facts) {
    replay.facts.push({ block: number, txIndex, txId, contract, name, payload, job: subjectOf(payload), atMs });
  }
  for (const { fingerprint, mspId } of rows.members) replay.creators.add(`${fingerprint}/${mspId}`);
  replay.nodes.push(...rows.nodes);
  replay.peaks = [...rows.peaks];
  replay.previous = rows.head.blockHash;
  replay.next += 1;
  replay.atMs = rows.header.atMs;
  replay.transactions += rows.transactions.length;
}
