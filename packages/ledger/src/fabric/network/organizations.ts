/** The organisations' keys and certificates, in the folders that Fabric's membership service reads. */

import { join } from 'node:path';
import { enrol, enrolTls, newAuthority, type Authority, type NodeUnit, type Validity } from '../authority.ts';
import { writeOpen, writeSecret, type Folders, type TlsFiles } from './folders.ts';
import { ordererMsp, type Topology } from './topology.ts';

/** Local networks are made anew, so that their certificates never grow old; `status` shows when they would. */
const years = 5;
const hosts = ['localhost', '127.0.0.1'];

/** Every file of every organisation. */
export async function writeOrganizations(folders: Folders, topology: Topology, nowMs: number): Promise<void> {
  // An hour back, should another machine's clock be slow.
  const validity = { fromMs: nowMs - 3_600_000, toMs: nowMs + years * 365 * 86_400_000 };
  const nodes = new Map<string, [NodeUnit, string[]]>([[ordererMsp, ['orderer', topology.orderers.map(nameOf)]]]);
  for (const peer of topology.peers) nodes.set(peer.mspId, ['peer', [peer.name]]);
  const work = [...nodes].map(async ([mspId, [unit, names]]) => {
    const authorities = await writeAuthorities(folders, mspId, validity);
    await writeAdmin(folders, mspId, authorities, validity);
    for (const name of names) await writeNode(folders, name, unit, authorities, validity);
    if (unit === 'peer') await writeContractKeys(folders, mspId, validity);
  });
  await Promise.all(work);
}

interface Authorities {
  readonly members: Authority;
  readonly tls: Authority;
}

function nameOf({ name }: { readonly name: string }): string {
  return name;
}

async function writeAuthorities(folders: Folders, mspId: string, validity: Validity): Promise<Authorities> {
  const files = folders.organization(mspId);
  const members = newAuthority(mspId, `ca.${mspId}`, validity);
  const tls = newAuthority(mspId, `tls-ca.${mspId}`, validity);
  await writePair(files.authority, members);
  await writePair(files.tlsAuthority, tls);
  await writeMsp(files.msp, { members, tls });
  return { members, tls };
}

async function writeAdmin(folders: Folders, mspId: string, authorities: Authorities, validity: Validity) {
  const { admin, client } = folders.organization(mspId);
  await writeMsp(
    admin.msp,
    authorities,
    enrol(authorities.members, { commonName: `admin.${mspId}`, unit: 'admin', validity }),
  );
  await writePair(admin.tls, enrolTls(authorities.tls, `admin.${mspId}`, [], validity));
  await writePair(client, enrolTls(authorities.tls, `client.${mspId}`, [], validity));
}

async function writeNode(
  folders: Folders,
  name: string,
  unit: NodeUnit,
  authorities: Authorities,
  validity: Validity,
): Promise<void> {
  const { msp, tls } = folders.node(name);
  await writeMsp(msp, authorities, enrol(authorities.members, { commonName: name, unit, validity }));
  await writePair(tls, enrolTls(authorities.tls, name, hosts, validity));
}

/** Between a peer and its contract server nobody else has a key: the authority signs these two and is forgotten. */
async function writeContractKeys(folders: Folders, mspId: string, validity: Validity): Promise<void> {
  const files = folders.organization(mspId);
  const authority = newAuthority(mspId, `contracts-ca.${mspId}`, validity);
  await writeOpen(files.contractsAuthority, authority.certificate);
  await writePair(files.contractsServer, enrolTls(authority, `contracts.${mspId}`, hosts, validity));
  await writePair(files.contractsClient, enrolTls(authority, `peer.${mspId}`, [], validity));
}

async function writePair(files: TlsFiles, pair: { readonly key: string; readonly certificate: string }): Promise<void> {
  await writeOpen(files.certificate, pair.certificate);
  await writeSecret(files.key, pair.key);
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
  { members, tls }: Authorities,
  own?: { readonly key: string; readonly certificate: string },
): Promise<void> {
  await writeOpen(join(folder, 'cacerts', 'ca.pem'), members.certificate);
  await writeOpen(join(folder, 'tlscacerts', 'ca.pem'), tls.certificate);
  await writeOpen(join(folder, 'config.yaml'), nodeUnits);
  if (!own) return;
  await writeOpen(join(folder, 'signcerts', 'cert.pem'), own.certificate);
  await writeSecret(join(folder, 'keystore', 'key.pem'), own.key);
}
