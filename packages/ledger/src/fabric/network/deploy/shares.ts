/** Which files each program of a deployed network is given, and where: below one root, the same on every machine. */

import { platformMsp } from '@assay/contracts';
import { builderPrograms } from '../contracts-package.ts';
import { walletNames } from '../issued-wallet.ts';
import { channelNames, organizationsOf } from '../topology.ts';
import { deployedTopology, unitsOf, type Deployment, type Unit } from './units.ts';

const pair = (folder: string): string[] => [`${folder}/cert.pem`, `${folder}/key.pem`];
const membership = (folder: string): string[] => [
  ...['cacerts/ca.pem', 'tlscacerts/ca.pem', 'config.yaml'].map((file) => `${folder}/${file}`),
  `${folder}/signcerts/cert.pem`,
  `${folder}/keystore/key.pem`,
];

/** Files by the name of their share: one for each program, `client` for the market's server, `operator`. */
export function sharesOf(deployment: Deployment): ReadonlyMap<string, readonly string[]> {
  const topology = deployedTopology(deployment);
  const trust = organizationsOf(topology).map((mspId) => `trust/${mspId}.pem`);
  const found = new Map(unitsOf(deployment).map((unit) => [unit.name, unitFiles(unit, trust)]));
  const wallet = walletNames(platformMsp).flatMap((name) => pair(`wallet/${platformMsp}/${name}`));
  found.set('client', ['connection.json', ...wallet, ...pair(`organizations/${platformMsp}/client-tls`), ...trust]);
  found.set('operator', [
    ...organizationsOf(topology).flatMap((mspId) => {
      const admin = `organizations/${mspId}/admin`;
      return [...membership(`${admin}/msp`), ...pair(`${admin}/tls`)];
    }),
    ...topology.peers.flatMap(({ mspId, name, contractsHost }) => [
      `organizations/${mspId}/contracts/package.tar.gz`,
      `nodes/${name}/core.yaml`,
      `nodes/${contractsHost}/server.json`,
    ]),
    ...channelNames.map((channel) => `channels/${channel}.block`),
    'channels/private-science.collections.json',
    'network.json',
    ...trust,
  ]);
  return found;
}

function unitFiles({ kind, name }: Unit, trust: readonly string[]): string[] {
  const home = `nodes/${name}`;
  if (kind === 'contracts') return [`${home}/server.json`, `${home}/ca.pem`, ...pair(`${home}/tls`)];
  if (kind === 'authority') {
    const authority = ['ca-cert.pem', 'ca-key.pem', 'fabric-ca-server-config.yaml'];
    return [...authority, ...authority.map((file) => `tls-ca/${file}`), ...pair('tls')];
  }
  const node = [...membership(`${home}/msp`), ...pair(`${home}/tls`), ...trust];
  if (kind === 'orderer') return [`${home}/orderer.yaml`, ...node];
  return [`${home}/core.yaml`, ...node, ...Object.keys(builderPrograms).map((program) => `builder/bin/${program}`)];
}
