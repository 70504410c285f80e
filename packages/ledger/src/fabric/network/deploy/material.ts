/**
 * Keys, certificates, settings and first blocks of a network that others run: written once into a folder of the
 * operator's, and from there dealt out, to each program only what it needs.
 */

import { copyFile, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { caIssuer, writeAuthority } from '../fabric-ca.ts';
import { foldersOf, writeSecret } from '../folders.ts';
import { ownIssuer, type Issuer } from '../issuer.ts';
import { fillWallet } from '../issued-wallet.ts';
import { validityFrom } from '../organizations.ts';
import { writeProfile } from '../profile.ts';
import { writeFiles, type Site } from '../provision.ts';
import { organizationsOf, type AuthorityPlace } from '../topology.ts';
import type { Tools } from '../tools.ts';
import { sharesOf } from './shares.ts';
import { dataRoot, deployedTopology, givenRoot, type Deployment } from './units.ts';

export interface MaterialOptions {
  readonly deployment: Deployment;
  readonly tools: Tools;
  /** The operator's folder. */
  readonly root: string;
  /** Where each program's share goes. */
  readonly shareOf: (name: string) => string;
  /** Where the fabric-ca servers answer, when not by their own names. */
  readonly authorityAt?: (place: AuthorityPlace, index: number) => Pick<AuthorityPlace, 'host' | 'port'>;
  readonly nowMs: number;
}

/** Makes the authorities' keys, once. Returns whether there was anything to do. */
export async function writeAuthorities({ deployment, root, shareOf, nowMs }: Omit<MaterialOptions, 'tools'>) {
  const mark = join(root, 'authorities-ready');
  if (await isThere(mark)) return false;
  const topology = deployedTopology(deployment);
  const folders = foldersOf(root, shareOf);
  for (const place of topology.authorities) {
    await empty(shareOf(place.name));
    await writeAuthority(folders, topology.listen, place, validityFrom(nowMs));
  }
  await writeSecret(mark, '');
  return true;
}

/** Makes everything else, once; the fabric-ca servers must be running. Returns whether there was anything to do. */
export async function writeMaterial(options: MaterialOptions): Promise<boolean> {
  const { deployment, root, tools, nowMs } = options;
  const mark = join(root, 'ready');
  const topology = deployedTopology(deployment);
  // The nodes' settings name the folders of their own machines.
  const site: Site = { folders: foldersOf(root, () => dataRoot), tools, topology };
  if (await isThere(mark)) {
    // Left by a start that ended right after the mark.
    for (const { mspId } of topology.authorities)
      await rm(site.folders.organization(mspId).enrolling, { recursive: true, force: true });
    return false;
  }
  const authorities = new Set(topology.authorities.map(({ name }) => name));
  const issuers = await openIssuers(site, options);
  await writeFiles(site, issuers, nowMs);
  await fillWallet(site, issuers);
  await writeProfile(site, { withAuthorities: false });
  await writeSecret(join(root, 'network.json'), JSON.stringify({ version: 2, topology }));
  for (const [name, files] of sharesOf(deployment)) {
    // An authority had its share before, and has written to it since.
    if (!authorities.has(name)) await deal(options, name, files);
  }
  await writeSecret(mark, '');
  // Only now: until the mark is there, another start may have to enrol anew whom this one registered.
  for (const issuer of issuers) await issuer.close();
  return true;
}

async function openIssuers({ folders, tools, topology }: Site, options: MaterialOptions): Promise<Issuer[]> {
  const { authorityAt, nowMs } = options;
  if (topology.authorities.length === 0) {
    return Promise.all(organizationsOf(topology).map((mspId) => ownIssuer(folders, mspId, validityFrom(nowMs))));
  }
  return Promise.all(
    topology.authorities.map((place, index) =>
      caIssuer(folders, tools, authorityAt ? { ...place, ...authorityAt(place, index) } : place),
    ),
  );
}

async function deal({ root, shareOf }: MaterialOptions, name: string, files: readonly string[]): Promise<void> {
  const share = shareOf(name);
  await empty(share);
  // The client's share is for any folder of any machine; the others are mounted where their settings say.
  const place = name === 'client' ? '"' : `"${givenRoot}/`;
  for (const file of files) {
    const [from, to] = [join(root, file), join(share, file)];
    await mkdir(dirname(to), { recursive: true, mode: 0o700 });
    await copyFile(from, to);
    if (/\.(?:json|yaml)$/.test(file)) {
      await writeFile(to, (await readFile(from, 'utf8')).replaceAll(`"${root}/`, place));
    }
  }
}

/** The folder itself may be somebody's mount and stays. */
async function empty(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  for (const name of await readdir(folder)) await rm(join(folder, name), { recursive: true, force: true });
}

async function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
