/**
 * Organisations whose certificates come from a fabric-ca server of their own: one server with two authorities, one for
 * members and one for TLS, each with its own register. Secrets are random, used once and never part of a command line.
 */

import { randomBytes } from 'node:crypto';
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Fault, limits } from '@assay/core';
import { enrolTls, newAuthority, type KeyAndCertificate, type NodeUnit, type Validity } from '../authority.ts';
import { writeSecret, type Folders } from './folders.ts';
import { answerOf } from './health.ts';
import { writePair, type Issuer } from './issuer.ts';
import { runTool, type Tools } from './tools.ts';
import { loopback, type AuthorityPlace } from './topology.ts';

/** The two authorities of a server, by the names that clients ask for. */
const kinds = ['members', 'tls'] as const;
type Kind = (typeof kinds)[number];

const registrar = 'registrar';
/** How often a secret is good for a certificate: once, and again after interruptions. */
const enrolments = 5;

/** What an organisation's own administrators need to enrol: where trust begins, and the registrar's secrets. */
interface Registrar {
  readonly certificate: string;
  readonly tls: string;
  readonly secrets: Readonly<Record<Kind, string>>;
}

/** Makes an organisation's authorities and writes the folder that its server starts in. */
export async function writeAuthority(
  folders: Folders,
  listen: string,
  { mspId, name, host, port }: AuthorityPlace,
  validity: Validity,
): Promise<void> {
  const home = folders.node(name).data;
  const members = newAuthority(mspId, `ca.${mspId}`, validity);
  const tls = newAuthority(mspId, `tls-ca.${mspId}`, validity);
  const secrets = { members: secret(), tls: secret() };
  await writePair({ certificate: join(home, 'ca-cert.pem'), key: join(home, 'ca-key.pem') }, members);
  await writePair({ certificate: join(home, 'tls-ca', 'ca-cert.pem'), key: join(home, 'tls-ca', 'ca-key.pem') }, tls);
  const hosts = [...new Set([host, 'localhost', loopback])];
  await writePair(
    { certificate: join(home, 'tls', 'cert.pem'), key: join(home, 'tls', 'key.pem') },
    enrolTls(tls, name, hosts, validity),
  );
  const server = {
    address: listen,
    port,
    tls: { enabled: true, certfile: 'tls/cert.pem', keyfile: 'tls/key.pem' },
    // Port 0: nobody asks there.
    operations: { listenAddress: `${loopback}:0`, tls: { enabled: false } },
    metrics: { provider: 'disabled' },
    cafiles: ['tls-ca/fabric-ca-server-config.yaml'],
  };
  const main = { ...server, ...authorityConfig(mspId, 'members', secrets.members) };
  await writeSecret(join(home, 'fabric-ca-server-config.yaml'), JSON.stringify(main));
  await writeSecret(
    join(home, 'tls-ca', 'fabric-ca-server-config.yaml'),
    JSON.stringify(authorityConfig(mspId, 'tls', secrets.tls)),
  );
  const known: Registrar = { certificate: members.certificate, tls: tls.certificate, secrets };
  await writeSecret(folders.organization(mspId).registrar, JSON.stringify(known));
}

function secret(): string {
  return randomBytes(24).toString('base64url');
}

/** The registrar gives the roles of nodes and members, and attributes to clients; an enrolment lasts a year. */
function authorityConfig(mspId: string, kind: Kind, password: string) {
  const usage = {
    members: ['digital signature'],
    tls: ['signing', 'key agreement', 'server auth', 'client auth'],
  }[kind];
  const signing = { usage, expiry: '8760h' };
  return {
    ca: { name: kind, keyfile: 'ca-key.pem', certfile: 'ca-cert.pem' },
    crl: { expiry: '168h' },
    registry: {
      maxenrollments: -1,
      identities: [
        {
          name: registrar,
          pass: password,
          type: 'client',
          affiliation: '',
          attrs: {
            'hf.Registrar.Roles': 'client,peer,orderer,admin',
            'hf.Registrar.Attributes': 'assay.*',
            'hf.Revoker': true,
            'hf.GenCRL': true,
          },
        },
      ],
    },
    db: { type: 'sqlite3', datasource: 'register.db' },
    affiliations: {},
    signing: { default: signing, profiles: { tls: signing } },
    csr: { cn: `${kind}.${mspId}`, ca: { expiry: '43800h', pathlength: 0 } },
    cfg: { identities: { passwordattempts: 10 } },
  };
}

/** What a server is started with; its settings lie in its folder. */
export function authorityProgram(folders: Folders, tools: Tools, { name }: AuthorityPlace) {
  return {
    name,
    path: tools.path('fabric-ca-server'),
    args: ['start', '--home', folders.node(name).data, '--loglevel', 'warning'],
    environment: {},
  };
}

/** An organisation's server as the issuer of its certificates; waits until it answers. */
export async function caIssuer(folders: Folders, tools: Tools, place: AuthorityPlace): Promise<Issuer> {
  const { mspId } = place;
  const files = folders.organization(mspId);
  const known = JSON.parse(await readFile(files.registrar, 'utf8')) as Registrar;
  await untilAnswering(place, known.tls);
  // The client's own files are of no use afterwards.
  const work = files.enrolling;
  const trust = join(work, 'tls-ca.pem');
  await writeSecret(trust, known.tls);
  const client = { tools, place, work, trust };
  for (const kind of kinds) await enrolWith(client, kind, registrar, known.secrets[kind], [], registrar);
  return {
    mspId,
    members: known.certificate,
    tls: known.tls,
    async enrol({ commonName, unit, attributes = {} }) {
      const password = await register(client, 'members', commonName, unit, attributes);
      return enrolWith(client, 'members', commonName, password, []);
    },
    async enrolTls(commonName, unit, hosts) {
      const password = await register(client, 'tls', commonName, unit, {});
      return enrolWith(client, 'tls', commonName, password, hosts);
    },
    close: () => rm(work, { recursive: true, force: true }),
  };
}

interface CaClient {
  readonly tools: Tools;
  readonly place: AuthorityPlace;
  readonly work: string;
  readonly trust: string;
}

/** The secret is kept until `close`, so that a start that was interrupted can enrol whom it had registered. */
async function register(
  client: CaClient,
  kind: Kind,
  name: string,
  unit: NodeUnit,
  attributes: Readonly<Record<string, string>>,
): Promise<string> {
  const kept = join(client.work, 'secrets', kind, name);
  const before = await readFile(kept, 'utf8').catch(() => undefined);
  const password = before ?? secret();
  await writeSecret(kept, password);
  const wanted = Object.entries(attributes).map(([key, value]) => `${key}=${value}:ecert`);
  const named = wanted.length > 0 ? ['--id.attrs', wanted.join(',')] : [];
  await runClient(client, kind, ['register', ...named], folderOf(client, kind, registrar), '', {
    FABRIC_CA_CLIENT_ID_NAME: name,
    FABRIC_CA_CLIENT_ID_SECRET: password,
    FABRIC_CA_CLIENT_ID_TYPE: unit,
    FABRIC_CA_CLIENT_ID_MAXENROLLMENTS: String(enrolments),
  }).catch((error: unknown) => {
    const isKnown = before !== undefined && error instanceof Fault && error.message.includes('is already registered');
    if (!isKnown) throw error;
  });
  return password;
}

/** The key is made here and never leaves; the folder goes unless it is kept for later calls. */
async function enrolWith(
  client: CaClient,
  kind: Kind,
  name: string,
  password: string,
  hosts: readonly string[],
  keepAs?: string,
): Promise<KeyAndCertificate> {
  const folder = folderOf(client, kind, keepAs ?? `${name}.${randomBytes(4).toString('hex')}`);
  await runClient(client, kind, ['enroll'], folder, `${encodeURIComponent(name)}:${password}@`, {
    FABRIC_CA_CLIENT_CSR_CN: name,
    FABRIC_CA_CLIENT_CSR_HOSTS: hosts.join(','),
    ...(kind === 'tls' ? { FABRIC_CA_CLIENT_ENROLLMENT_PROFILE: 'tls' } : {}),
  });
  const pair = {
    key: await readOnly(join(folder, 'keystore')),
    certificate: await readOnly(join(folder, 'signcerts')),
  };
  if (keepAs === undefined) await rm(folder, { recursive: true, force: true });
  return pair;
}

/** The only file of a folder, whatever its name. */
async function readOnly(folder: string): Promise<string> {
  const [name = ''] = await readdir(folder);
  return readFile(join(folder, name), 'utf8');
}

function folderOf({ work }: CaClient, kind: Kind, name: string): string {
  return join(work, kind, name);
}

async function runClient(
  { tools, place, work, trust }: CaClient,
  kind: Kind,
  command: readonly string[],
  folder: string,
  user: string,
  environment: Readonly<Record<string, string>>,
): Promise<void> {
  // Secrets in the environment are seen by their owner only, those in a command line by everybody.
  await runTool(
    tools.path('fabric-ca-client'),
    [...command, '--loglevel', 'error', '--csr.names', `O=${place.mspId}`],
    {
      FABRIC_CA_CLIENT_HOME: join(work, kind),
      FABRIC_CA_CLIENT_URL: `https://${user}${place.host}:${place.port}`,
      FABRIC_CA_CLIENT_CANAME: kind,
      FABRIC_CA_CLIENT_MSPDIR: folder,
      FABRIC_CA_CLIENT_TLS_CERTFILES: trust,
      ...environment,
    },
  );
}

async function untilAnswering(place: AuthorityPlace, ca: string): Promise<void> {
  const deadline = performance.now() + limits.fabricStartMs;
  let problem = await askAuthority(place, ca);
  while (problem !== 'ok') {
    if (performance.now() > deadline) {
      throw new Fault('ledger.unavailable', `${place.name} does not answer: ${problem}`, { retry: false });
    }
    await sleep(50);
    problem = await askAuthority(place, ca);
  }
}

/** `ok`, or what is wrong. */
export function askAuthority({ host, port }: AuthorityPlace, ca: string): Promise<string> {
  return answerOf({ host, port, path: '/cainfo', ca });
}
