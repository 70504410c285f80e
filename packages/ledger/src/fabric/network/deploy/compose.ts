/** A deployed network for Docker Compose: one machine, from nothing to answering contracts by `up`. */

import { memberships } from '../topology.ts';
import {
  dataRoot,
  givenRoot,
  imagesOf,
  operatorProgram,
  probeCommand,
  slugOf,
  unitsOf,
  type Deployment,
  type Unit,
} from './units.ts';
import type { Yaml } from './yaml.ts';

/** What every container gets: no rights, nothing to write to, bounds. */
function hardened(memoryMiB: number, cpus: number) {
  return {
    user: '10001:10001',
    read_only: true,
    cap_drop: ['ALL'],
    security_opt: ['no-new-privileges:true'],
    tmpfs: ['/tmp:size=64m,mode=1777'],
    mem_limit: `${memoryMiB}m`,
    cpus,
    pids_limit: 512,
    // An engine keeps all that a container ever said, unless it is told otherwise.
    logging: { driver: 'json-file', options: { 'max-size': '10m', 'max-file': '3' } },
  };
}

export function composeFile(deployment: Deployment): Yaml {
  const units = unitsOf(deployment);
  const withAuthorities = memberships[deployment.membership].authorities;
  const peers = units.filter(({ kind }) => kind === 'peer');
  const organizations = peers.map(({ mspId }) => slugOf(mspId));
  const services = {
    ...(withAuthorities ? { authorities: authoritiesService(deployment, units) } : {}),
    material: materialService(deployment, units),
    ...Object.fromEntries(units.map((unit) => [unit.name, unitService(unit, peers.indexOf(unit))])),
    provision: provisionService(deployment, units),
  };
  return {
    services,
    networks: {
      // Between the nodes; nothing gets in or out.
      fabric: { internal: true },
      ...Object.fromEntries(organizations.map((slug) => [`contracts-${slug}`, { internal: true }])),
      // Through it the peers' gateways are reached from this machine.
      gateway: {},
    },
    volumes: Object.fromEntries(volumeNames(units).map((name) => [name, {}])),
  };
}

function volumeNames(units: readonly Unit[]): string[] {
  return [
    'material',
    ...units.flatMap(({ kind, name, keeps }) => [
      ...(kind === 'authority' ? [] : [shareVolume(name)]),
      ...(keeps ? [dataVolume(name)] : []),
    ]),
    ...otherShares.map(shareVolume),
  ];
}

/** Besides those of programs that go on running: for the market's server, and for whoever sets the network up. */
const otherShares = ['client', 'operator'];

function shareVolume(name: string): string {
  return `${name}-share`;
}

function dataVolume(name: string): string {
  return `${name}-data`;
}

/** The image has numbered folders for shares, because a new volume takes the owner of the folder that it is mounted on. */
function dealt(volumes: readonly (readonly [name: string, volume: string])[]) {
  return {
    mounts: volumes.map(([, volume], index) => `${volume}:/shares/${index + 1}`),
    options: volumes.flatMap(([name], index) => ['--share', `${name}=/shares/${index + 1}`]),
  };
}

function operatorService({ ordering, membership }: Deployment, command: string, options: readonly string[]) {
  return {
    image: imagesOf({ ordering }).operator,
    command: ['node', operatorProgram, command, '--ordering', ordering, '--membership', membership, ...options],
    ...hardened(512, 1),
    // It ends when its work is done, and has none where it was done before.
    restart: 'no',
  };
}

function authoritiesService(deployment: Deployment, units: readonly Unit[]) {
  const own = units.filter(({ kind }) => kind === 'authority');
  const { mounts, options } = dealt(own.map(({ name }) => [name, dataVolume(name)]));
  return {
    ...operatorService(deployment, 'authorities', options),
    network_mode: 'none',
    volumes: [`material:${givenRoot}`, ...mounts],
  };
}

function materialService(deployment: Deployment, units: readonly Unit[]) {
  const authorities = units.filter(({ kind }) => kind === 'authority');
  // First those that an operator copies out, so that their numbers are always the same.
  const names = [...otherShares, ...units.filter(({ kind }) => kind !== 'authority').map(({ name }) => name)];
  const { mounts, options } = dealt(names.map((name) => [name, shareVolume(name)]));
  const asks = authorities.length > 0;
  return {
    ...operatorService(deployment, 'material', options),
    ...(asks ? { networks: ['fabric'] } : { network_mode: 'none' }),
    ...(asks ? { depends_on: after(authorities, 'service_healthy') } : {}),
    volumes: [`material:${givenRoot}`, ...mounts],
  };
}

function provisionService(deployment: Deployment, units: readonly Unit[]) {
  return {
    ...operatorService(deployment, 'provision', []),
    networks: ['fabric'],
    depends_on: {
      material: { condition: 'service_completed_successfully' },
      ...after(
        units.filter(({ kind }) => kind !== 'authority'),
        'service_healthy',
      ),
    },
    volumes: [`${shareVolume('operator')}:${givenRoot}:ro`],
  };
}

function after(units: readonly Unit[], condition: string) {
  return Object.fromEntries(units.map(({ name }) => [name, { condition }]));
}

function unitService(unit: Unit, peerIndex: number) {
  const { kind, name, mspId, image, command, environment, memoryMiB, cpus, keeps } = unit;
  const needs = kind === 'authority' ? 'authorities' : 'material';
  return {
    image,
    command,
    ...(Object.keys(environment).length > 0 ? { environment } : {}),
    ...hardened(memoryMiB, cpus),
    restart: 'unless-stopped',
    stop_grace_period: '30s',
    depends_on: { [needs]: { condition: 'service_completed_successfully' } },
    networks: networksOf(unit),
    ...(kind === 'peer' ? { ports: [publishedPort(unit, peerIndex)] } : {}),
    volumes: [
      ...(kind === 'authority' ? [] : [`${shareVolume(name)}:${givenRoot}:ro`]),
      ...(keeps ? [`${dataVolume(name)}:${dataRoot}`] : []),
    ],
    healthcheck: {
      test: ['CMD', ...probeCommand(unit)],
      interval: '5s',
      timeout: '4s',
      retries: 12,
      start_period: '5s',
    },
    labels: { 'org.assay.organization': mspId },
  };
}

function networksOf({ kind, mspId }: Unit): string[] {
  const own = `contracts-${slugOf(mspId)}`;
  if (kind === 'contracts') return [own];
  return kind === 'peer' ? ['fabric', 'gateway', own] : ['fabric'];
}

/** On this machine's own address only; another port by a variable like PORT_PEER_PLATFORM. */
function publishedPort({ name, ports }: Unit, index: number): string {
  const port = ports['peer'] ?? 0;
  const variable = `PORT_${name.toUpperCase().replaceAll('-', '_')}`;
  return `127.0.0.1:\${${variable}:-${10_000 + port + 10 * index}}:${port}`;
}
