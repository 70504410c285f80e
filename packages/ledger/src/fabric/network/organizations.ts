/** The organisations' keys and certificates, in the folders that Fabric's membership service reads. */

import { join } from 'node:path';
import { enrolTls, newAuthority, type KeyAndCertificate, type NodeUnit, type Validity } from '../authority.ts';
import { writeOpen, writeSecret, type Folders } from './folders.ts';
import { writePair, type Issuer } from './issuer.ts';
import { contractsName, loopback, ordererMsp, type PeerPlace, type Topology } from './topology.ts';

/** Local networks are made anew, so that their certificates never grow old; `status` shows when they would. */
const years = 5;

export function validityFrom(nowMs: number): Validity {
  // An hour back, should another machine's clock be slow.
  return { fromMs: nowMs - 3_600_000, toMs: nowMs + years * 365 * 86_400_000 };
}

/** Every file of an organisation that orders or endorses. */
export async function writeOrganization(
  folders: Folders,
  topology: Pick<Topology, 'orderers' | 'peers'>,
  issuer: Issuer,
  validity: Validity,
): Promise<void> {
  const { mspId } = issuer;
  const { msp, tlsAuthority } = folders.organization(mspId);
  await writeMsp(msp, issuer);
  // Where the issuer is somebody else, only the certificate is here.
  await writeOpen(tlsAuthority.certificate, issuer.tls);
  await writeOpen(folders.trust(mspId), issuer.tls);
  await writeAdmin(folders, issuer);
  if (mspId === ordererMsp) {
    for (const { name, host } of topology.orderers) await writeNode(folders, name, 'orderer', host, issuer);
    return;
  }
  for (const peer of topology.peers.filter((place) => place.mspId === mspId)) {
    await writeNode(folders, peer.name, 'peer', peer.host, issuer);
    await writeContractKeys(folders, peer, validity);
  }
}

async function writeAdmin(folders: Folders, issuer: Issuer): Promise<void> {
  const { mspId } = issuer;
  const { admin, client } = folders.organization(mspId);
  await writeMsp(admin.msp, issuer, await issuer.enrol({ commonName: `admin.${mspId}`, unit: 'admin' }));
  await writePair(admin.tls, await issuer.enrolTls(`admin.${mspId}`, 'admin', []));
  await writePair(client, await issuer.enrolTls(`client.${mspId}`, 'client', []));
}

async function writeNode(folders: Folders, name: string, unit: NodeUnit, host: string, issuer: Issuer): Promise<void> {
  const { msp, tls } = folders.node(name);
  await writeMsp(msp, issuer, await issuer.enrol({ commonName: name, unit }));
  await writePair(tls, await issuer.enrolTls(name, unit, hostsOf(host)));
}

/** By its own name, and from its own machine. */
function hostsOf(host: string): string[] {
  return [...new Set([host, 'localhost', loopback])];
}

/** What contracts are called over: the server's own files, and what the peer shows. */
export interface ContractKeys {
  readonly rootCertificate: string;
  readonly clientKey: string;
  readonly clientCertificate: string;
}

/** Between a peer and its contract server nobody else has a key: the authority signs these two and is forgotten. */
async function writeContractKeys(folders: Folders, peer: PeerPlace, validity: Validity): Promise<void> {
  const { mspId } = peer;
  const name = contractsName(peer);
  const authority = newAuthority(mspId, `contracts-ca.${mspId}`, validity);
  const client = enrolTls(authority, `peer.${mspId}`, [], validity);
  await writeOpen(folders.contractsAuthority(name), authority.certificate);
  await writePair(
    folders.node(name).tls,
    enrolTls(authority, `contracts.${mspId}`, hostsOf(peer.contractsHost), validity),
  );
  const keys: ContractKeys = {
    rootCertificate: authority.certificate,
    clientKey: client.key,
    clientCertificate: client.certificate,
  };
  await writeSecret(folders.organization(mspId).contractsKeys, JSON.stringify(keys));
}

const unit = (name: NodeUnit) => ({ Certificate: 'cacerts/ca.pem', OrganizationalUnitIdentifier: name });

/** YAML reads JSON. */
const nodeUnits = JSON.stringify({
  NodeOUs: {
    Enable: true,
    ClientOUIdentifier: unit('client'),
    PeerOUIdentifier: unit('peer'),
    AdminOUIdentifier: unit('admin'),
    OrdererOUIdentifier: unit('orderer'),
  },
});

async function writeMsp(
  folder: string,
  { members, tls }: Pick<Issuer, 'members' | 'tls'>,
  own?: KeyAndCertificate,
): Promise<void> {
  await writeOpen(join(folder, 'cacerts', 'ca.pem'), members);
  await writeOpen(join(folder, 'tlscacerts', 'ca.pem'), tls);
  await writeOpen(join(folder, 'config.yaml'), nodeUnits);
  if (!own) return;
  await writeOpen(join(folder, 'signcerts', 'cert.pem'), own.certificate);
  await writeSecret(join(folder, 'keystore', 'key.pem'), own.key);
}
