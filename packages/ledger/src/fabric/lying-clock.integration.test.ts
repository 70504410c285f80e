import { createHash, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { Client, credentials } from '@grpc/grpc-js';
import { connect, hash, type Gateway } from '@hyperledger/fabric-gateway';
import { common, gateway as wire, peer } from '@hyperledger/fabric-protos';
import { testDatabase } from '@assay/store/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { problemOfGateway } from './gateway-errors.ts';
import { describeOnFabric, openTestLedger, testNetwork, type TestNetwork } from './fabric.setup.ts';
import { freshJob, lifeOf, platform } from './listing.setup.ts';
import { signLowS } from './low-s.ts';
import { readProfile } from './network/profile.ts';
import { systemClock } from './system-clock.ts';
import { openWallet, type FabricMember } from './wallet.ts';

const hourMs = 3_600_000;

/** The bytes of a proposal with another time stamp in its header. */
function atTime(bytes: Uint8Array, ms: number): Uint8Array {
  const proposed = wire.ProposedTransaction.deserializeBinary(bytes);
  const signed = proposed.getProposal()!;
  const proposal = peer.Proposal.deserializeBinary(signed.getProposalBytes_asU8());
  const header = common.Header.deserializeBinary(proposal.getHeader_asU8());
  const channel = common.ChannelHeader.deserializeBinary(header.getChannelHeader_asU8());
  channel.getTimestamp()!.setSeconds(Math.floor(ms / 1000));
  header.setChannelHeader(channel.serializeBinary());
  proposal.setHeader(header.serializeBinary());
  signed.setProposalBytes(proposal.serializeBinary());
  return proposed.serializeBinary();
}

async function endorsed(gateway: Gateway, member: FabricMember, job: string, ms: number): Promise<string> {
  const contract = gateway.getNetwork('public-marketplace').getContract('assay', 'EscrowTrigger');
  const bytes = atTime(contract.newProposal('triggerPayout', { arguments: [job] }).getBytes(), ms);
  const unsigned = gateway.newProposal(bytes);
  const proposal = gateway.newSignedProposal(bytes, signLowS(unsigned.getDigest(), member.key));
  return proposal.endorse().then(
    () => 'endorsed',
    (error: unknown) => {
      const problem = problemOfGateway(error);
      return problem.kind === 'refused' ? `${problem.code}: ${problem.message}` : problem.message;
    },
  );
}

describeOnFabric('a client with a false clock', () => {
  let network: TestNetwork;
  beforeAll(async () => {
    network = await testNetwork();
  });
  afterAll(() => network.close());

  test('cannot release money before the challenge window is over', async () => {
    const database = await testDatabase();
    const ledger = await openTestLedger(network, database.db);
    const profile = await readProfile(network.profile);
    const member = await openWallet(profile, systemClock).member(platform);
    const [first] = profile.peers;
    const [authority, key, certificate] = await Promise.all(
      [first!.tlsAuthority, profile.clientTls.key, profile.clientTls.certificate].map((file) => readFile(file)),
    );
    const client = new Client(first!.address, credentials.createSsl(authority, key, certificate));
    const gateway = connect({
      client,
      identity: { mspId: member.mspId, credentials: Buffer.from(member.certificate) },
      signer: async (message) => signLowS(message, member.key),
      hash: hash.none,
      tlsClientCertificateHash: createHash('sha256').update(new X509Certificate(certificate!).raw).digest(),
    });
    const job = freshJob();
    const nowMs = Date.now();
    const [list, fund, work, verify, timer] = lifeOf(job);
    const window = { ...timer!, args: [job, String(nowMs), String(nowMs + hourMs)] };
    const outcomes = await ledger.submit([list!, fund!, work!, verify!, window], platform);
    expect(outcomes.map(({ kind }) => kind)).toEqual(Array(5).fill('committed'));
    // With its true time the contract refuses, with a false one the organisations do.
    expect(await endorsed(gateway, member, job, nowMs)).toMatch(/^escrow\.window_open: the challenge window is open/);
    expect(await endorsed(gateway, member, job, nowMs + 2 * hourMs)).toMatch(
      /^escrow\.window_open: .*organisation’s clock/,
    );
    gateway.close();
    client.close();
    await ledger.close();
    await database.drop();
  });
});
