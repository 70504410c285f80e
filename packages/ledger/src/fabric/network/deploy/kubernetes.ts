/**
 * A deployed network for Kubernetes, as folders for `kubectl apply -k`: the nodes, and with fabric-ca the authorities
 * before them. Secrets are made by kustomize from the files that `assay fabric material` wrote, so none is in here.
 */

import { memberships, ordererMsp } from '../topology.ts';
import { sharesOf } from './shares.ts';
import {
  dataRoot,
  givenRoot,
  imagesOf,
  operatorProgram,
  slugOf,
  unitsOf,
  type Deployment,
  type Unit,
} from './units.ts';
import { clientPolicy, denyAll, operatorPolicy, unitPolicy } from './kubernetes-policies.ts';
import type { Yaml } from './yaml.ts';

const namespace = 'assay-fabric';
const user = 10_001;
/** Tells that an authority's folder is complete. */
const copied = `${dataRoot}/copied`;
/** How long a Job that has ended stays: its template cannot be changed, so it keeps a changed one from being applied. */
const keptSeconds = 600;
/** Secrets that people name: the market's servers mount the one, and the other is to be deleted. */
const namedSecrets = ['client', 'operator'];

/** Documents by the path of their file. */
export function kubernetesFiles(deployment: Deployment): Map<string, Yaml[]> {
  const units = unitsOf(deployment);
  const shares = sharesOf(deployment);
  const objects = (wanted: (unit: Unit) => boolean): Yaml[] =>
    units.filter(wanted).flatMap((unit) => unitObjects(unit, shares.get(unit.name) ?? []));
  const files = new Map<string, Yaml[]>();
  if (memberships[deployment.membership].authorities) {
    files.set('authorities/authorities.yaml', [namespaceOf(), ...objects(({ kind }) => kind === 'authority')]);
    const names = units.filter(({ kind }) => kind === 'authority').map(({ name }) => name);
    files.set('authorities/kustomization.yaml', [kustomization(['authorities.yaml'], names, shares)]);
  }
  files.set('namespace.yaml', [namespaceOf(), denyAll(), clientPolicy()]);
  files.set('orderers.yaml', [...objects(({ kind }) => kind === 'orderer'), quorum()]);
  for (const { mspId } of units.filter(({ kind }) => kind === 'peer')) {
    const isOwn = (unit: Unit) => unit.mspId === mspId && unit.kind !== 'authority';
    files.set(`${slugOf(mspId)}.yaml`, objects(isOwn));
  }
  files.set('provision.yaml', [operatorPolicy(operator.name), provisionJob(deployment, shares.get('operator') ?? [])]);
  const resources = [...files.keys()].filter((path) => !path.includes('/'));
  const names = units.filter(({ kind }) => kind !== 'authority').map(({ name }) => name);
  files.set('kustomization.yaml', [kustomization(resources, [...names, ...namedSecrets], shares)]);
  return files;
}

function labelsOf({ kind, name, mspId }: Pick<Unit, 'name' | 'mspId'> & { readonly kind: string }) {
  return {
    'app.kubernetes.io/name': name,
    'app.kubernetes.io/component': kind,
    'app.kubernetes.io/part-of': namespace,
    'assay.org/organization': mspId,
  };
}

function namespaceOf() {
  const enforce = { 'pod-security.kubernetes.io/enforce': 'restricted' };
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace, labels: enforce } };
}

/** Of several orderers one at a time may be taken away. */
function quorum() {
  const matchLabels = { 'app.kubernetes.io/component': 'orderer' };
  return {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: { name: 'orderers' },
    spec: { maxUnavailable: 1, selector: { matchLabels } },
  };
}

function unitObjects(unit: Unit, files: readonly string[]): Yaml[] {
  return [service(unit), unitPolicy(unit), workload(unit, givenVolume(unit.name, files))];
}

function service(unit: Unit) {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: unit.name, labels: labelsOf(unit) },
    spec: {
      clusterIP: 'None',
      // A node must find itself and the others before any of them is ready.
      publishNotReadyAddresses: true,
      selector: { 'app.kubernetes.io/name': unit.name },
      ports: Object.entries(unit.ports).map(([name, port]) => ({ name, port, targetPort: name })),
    },
  };
}

function securityContext() {
  return { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } };
}

function podSecurity() {
  const ids = { runAsUser: user, runAsGroup: user, fsGroup: user };
  return { runAsNonRoot: true, ...ids, seccompProfile: { type: 'RuntimeDefault' } };
}

function workload(unit: Unit, given: ReturnType<typeof givenVolume>) {
  const { name, kind, keeps, image, command, environment } = unit;
  const probe = probeOf(unit);
  const container = {
    name: kind,
    image,
    command,
    ...(Object.keys(environment).length > 0
      ? { env: Object.entries(environment).map(([key, value]) => ({ name: key, value })) }
      : {}),
    ports: Object.entries(unit.ports).map(([port, containerPort]) => ({ name: port, containerPort })),
    securityContext: securityContext(),
    resources: {
      requests: { memory: `${unit.memoryMiB / 4}Mi`, cpu: `${unit.cpus * 100}m` },
      limits: { memory: `${unit.memoryMiB}Mi`, cpu: `${unit.cpus * 1000}m` },
    },
    startupProbe: { ...probe, periodSeconds: 2, failureThreshold: 60 },
    readinessProbe: { ...probe, periodSeconds: 5 },
    livenessProbe: { ...probe, periodSeconds: 20, failureThreshold: 6 },
    volumeMounts: [
      ...(kind === 'authority' ? [] : [{ name: 'given', mountPath: givenRoot, readOnly: true }]),
      ...(keeps ? [{ name: 'data', mountPath: dataRoot }] : []),
      { name: 'tmp', mountPath: '/tmp' },
    ],
  };
  const template = {
    metadata: { labels: labelsOf(unit) },
    spec: {
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      securityContext: podSecurity(),
      terminationGracePeriodSeconds: 30,
      ...(kind === 'orderer' ? { topologySpreadConstraints: [spread()] } : {}),
      ...(kind === 'authority' ? { initContainers: [firstStart(unit)] } : {}),
      containers: [container],
      volumes: [given, { name: 'tmp', emptyDir: { sizeLimit: '64Mi' } }],
    },
  };
  const selector = { matchLabels: { 'app.kubernetes.io/name': name } };
  const metadata = { name, labels: labelsOf(unit) };
  if (!keeps) return { apiVersion: 'apps/v1', kind: 'Deployment', metadata, spec: { replicas: 1, selector, template } };
  const claim = {
    metadata: { name: 'data' },
    spec: {
      accessModes: ['ReadWriteOnce'],
      resources: { requests: { storage: kind === 'authority' ? '1Gi' : '20Gi' } },
    },
  };
  const spec = { serviceName: name, replicas: 1, selector, template, volumeClaimTemplates: [claim] };
  return { apiVersion: 'apps/v1', kind: 'StatefulSet', metadata, spec };
}

/** Orderers of one machine would fall together. */
function spread() {
  const matchLabels = { 'app.kubernetes.io/component': 'orderer' };
  return {
    maxSkew: 1,
    topologyKey: 'kubernetes.io/hostname',
    whenUnsatisfiable: 'ScheduleAnyway',
    labelSelector: { matchLabels },
  };
}

/**
 * An authority writes into its own folder, so that it gets a copy of what it is given, once: until the mark is there,
 * since a copy may be interrupted. What is there already may not be written to.
 */
function firstStart({ image, name }: Unit) {
  return {
    name: 'first-start',
    image,
    command: [
      'sh',
      '-c',
      `umask 077; test -e ${copied} || { cp -RLf ${givenRoot}/${name}/[!.]* ${dataRoot}/ && touch ${copied}; }`,
    ],
    securityContext: securityContext(),
    resources: { requests: { memory: '16Mi', cpu: '50m' }, limits: { memory: '64Mi', cpu: '500m' } },
    volumeMounts: [
      { name: 'given', mountPath: `${givenRoot}/${name}`, readOnly: true },
      { name: 'data', mountPath: dataRoot },
    ],
  };
}

/** Health is told without a certificate; everything else on that port asks for one. */
function probeOf({ probe: { port, path } }: Unit) {
  return path === null
    ? { tcpSocket: { port }, timeoutSeconds: 4 }
    : { httpGet: { port, path, scheme: 'HTTPS' }, timeoutSeconds: 4 };
}

/** The files of a share at their places; a Secret's keys have no slashes. */
function givenVolume(name: string, files: readonly string[]) {
  const items = files.map((path) => ({
    key: keyOf(path),
    path,
    // Octal 550: programs.
    ...(path.startsWith('builder/') ? { mode: 0o550 } : {}),
  }));
  return { name: 'given', secret: { secretName: name, defaultMode: 0o440, items } };
}

function keyOf(path: string): string {
  return path.replaceAll('/', '__');
}

/** A changed file gets a node's Secret a new name, so that the node starts again. */
function kustomization(resources: string[], names: readonly string[], shares: ReadonlyMap<string, readonly string[]>) {
  return {
    apiVersion: 'kustomize.config.k8s.io/v1beta1',
    kind: 'Kustomization',
    namespace,
    resources,
    secretGenerator: names.map((name) => ({
      name,
      files: (shares.get(name) ?? []).map((path) => `${keyOf(path)}=shares/${name}/${path}`),
      ...(namedSecrets.includes(name) ? { options: { disableNameSuffixHash: true } } : {}),
    })),
  };
}

const operator = { kind: 'operator', name: 'provision', mspId: ordererMsp } as const;

/** Joins the channels and defines the contracts; done again, it changes nothing. */
function provisionJob(deployment: Deployment, files: readonly string[]) {
  const labels = labelsOf(operator);
  const container = {
    name: 'provision',
    image: imagesOf(deployment).operator,
    command: ['node', operatorProgram, 'provision'],
    securityContext: securityContext(),
    resources: { requests: { memory: '128Mi', cpu: '100m' }, limits: { memory: '512Mi', cpu: '1000m' } },
    volumeMounts: [
      { name: 'given', mountPath: givenRoot, readOnly: true },
      { name: 'tmp', mountPath: '/tmp' },
    ],
  };
  const spec = {
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    restartPolicy: 'OnFailure',
    securityContext: podSecurity(),
    containers: [container],
    volumes: [givenVolume('operator', files), { name: 'tmp', emptyDir: { sizeLimit: '64Mi' } }],
  };
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name: operator.name, labels },
    spec: { backoffLimit: 20, ttlSecondsAfterFinished: keptSeconds, template: { metadata: { labels }, spec } },
  };
}
