import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { composeFile } from './compose.ts';
import { kubernetesFiles } from './kubernetes.ts';
import { sharesOf } from './shares.ts';
import { deployedTopology, slugOf, unitsOf, type Deployment } from './units.ts';
import { deploymentFiles, deploymentFormats, deploymentName } from './write-deployment.ts';
import { yamlOf } from './yaml.ts';

/** The deployments whose files are kept. */
const keptDeployments: readonly Deployment[] = [
  { ordering: 'raft', membership: 'own' },
  { ordering: 'raft-3', membership: 'own' },
  { ordering: 'bft', membership: 'own' },
  { ordering: 'raft-3', membership: 'fabric-ca' },
];
const kept = fileURLToPath(new URL('../../../../../../deploy/fabric', import.meta.url));
const all = deploymentFormats.flatMap((format) => keptDeployments.map((deployment) => ({ format, deployment })));

test.each(all)('deploy/fabric has what the topology says: $format $deployment', async ({ format, deployment }) => {
  const folder = `${kept}/${format}/${deploymentName(deployment)}`;
  const files = deploymentFiles(format, deployment);
  for (const [path, text] of files) expect([path, await readFile(`${folder}/${path}`, 'utf8')]).toEqual([path, text]);
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const own = entries.filter((entry) => entry.isFile() && !/\/(?:material|shares)(?:\/|$)/.test(entry.parentPath));
  expect(own.map(({ parentPath, name }) => `${parentPath}/${name}`.slice(folder.length + 1)).toSorted()).toEqual(
    [...files.keys()].toSorted(),
  );
});

test.each(all)('no secret, floating version or right too many is in: $format $deployment', ({ format, deployment }) => {
  for (const [path, text] of deploymentFiles(format, deployment)) {
    expect([path, text]).toEqual([
      path,
      expect.not.stringMatching(/BEGIN|passw|:latest|privileged: true|hostNetwork/i),
    ]);
    for (const [line] of text.matchAll(/image: .*/g)) expect(line).toMatch(/^image: 'assay-[a-z-]+:[\w.-]+'$/);
  }
});

test.each(keptDeployments)('every program has its own share of keys: %o', (deployment) => {
  const shares = sharesOf(deployment);
  const nodes = unitsOf(deployment).filter(({ kind }) => kind !== 'authority');
  for (const { name } of nodes) {
    const keys = (shares.get(name) ?? []).filter((file) => file.endsWith('key.pem'));
    expect([name, keys.length > 0, keys.filter((file) => !file.startsWith(`nodes/${name}/`))]).toEqual([
      name,
      true,
      [],
    ]);
  }
  // Nobody who runs in the network holds what signs certificates.
  const others = [...nodes.map(({ name }) => name), 'client', 'operator'].flatMap((name) => shares.get(name) ?? []);
  expect(others.filter((file) => /\/(?:tls-)?ca\/key|ca-key/.test(file))).toEqual([]);
});

test.each(keptDeployments)(
  'nothing in a container grows without bound, but what it is there to keep: %o',
  (deployment) => {
    const { services } = composeFile(deployment) as { readonly services: Readonly<Record<string, object>> };
    expect(Object.keys(services).length).toBeGreaterThan(unitsOf(deployment).length);
    for (const [name, service] of Object.entries(services)) {
      expect([name, service]).toEqual([
        name,
        expect.objectContaining({
          logging: { driver: 'json-file', options: { 'max-size': '10m', 'max-file': '3' } },
          mem_limit: expect.stringMatching(/^\d+m$/) as string,
          pids_limit: 512,
          read_only: true,
        }),
      ]);
    }
  },
);

/** What a test looks at of the objects for Kubernetes. */
interface KubernetesObject {
  readonly kind?: string;
  readonly metadata?: { readonly name: string };
  readonly secretGenerator?: readonly { readonly name: string; readonly options?: object }[];
  readonly spec?: {
    readonly ttlSecondsAfterFinished?: number;
    readonly podSelector?: { readonly matchLabels?: Record<string, string> };
    readonly ingress?: readonly { readonly from: readonly PodSelector[] }[];
    readonly egress?: readonly { readonly to?: readonly PodSelector[] }[];
    readonly template?: { readonly spec: { readonly initContainers?: readonly { readonly command: string[] }[] } };
  };
}
interface PodSelector {
  readonly podSelector: { readonly matchLabels: Record<string, string> };
}

const component = 'app.kubernetes.io/component';
const kubernetesObjects = (deployment: Deployment): KubernetesObject[] =>
  [...kubernetesFiles(deployment).values()].flat() as KubernetesObject[];

test.each(keptDeployments)('whoever may be heard by a peer may also reach it: %o', (deployment) => {
  const policies = kubernetesObjects(deployment).filter(({ kind }) => kind === 'NetworkPolicy');
  const named = (name: string) => policies.find(({ metadata }) => metadata?.name === name)?.spec;
  const heard = named('peer-platform')?.ingress?.flatMap(({ from }) => from) ?? [];
  expect(heard.length).toBeGreaterThan(2);
  const names = { orderer: 'orderer1', peer: 'peer-platform', client: 'client', operator: 'provision' };
  for (const { podSelector } of heard) {
    const kind = podSelector.matchLabels[component] as keyof typeof names;
    const reached = named(names[kind])?.egress?.flatMap(({ to = [] }) => to) ?? [];
    expect([kind, reached.map((to) => to.podSelector.matchLabels[component])]).toEqual([
      kind,
      expect.arrayContaining(['peer']),
    ]);
  }
  expect(named('client')?.podSelector).toEqual({ matchLabels: { [component]: 'client' } });
});

test.each(keptDeployments)(
  'what people name keeps its name, and a Job makes way for its successor: %o',
  (deployment) => {
    const objects = kubernetesObjects(deployment);
    const secrets = objects.flatMap(({ secretGenerator = [] }) => secretGenerator);
    const named = secrets.filter(({ options }) => options !== undefined);
    expect(named.map(({ name, options }) => [name, options])).toEqual(
      ['client', 'operator'].map((name) => [name, { disableNameSuffixHash: true }]),
    );
    const jobs = objects.filter(({ kind }) => kind === 'Job');
    expect(jobs.map(({ spec }) => (spec?.ttlSecondsAfterFinished ?? 0) > 0)).toEqual([true]);
  },
);

test('an authority gets all that it is given, also when its first start was interrupted, and only once', async () => {
  const objects = kubernetesObjects({ ordering: 'raft-3', membership: 'fabric-ca' });
  const authority = objects.find(({ kind, metadata }) => kind === 'StatefulSet' && metadata?.name === 'ca-platform');
  const command = authority?.spec?.template?.spec.initContainers?.[0]?.command ?? [];
  const folder = await mkdtemp(join(tmpdir(), 'assay-first-start-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const [given, data] = [join(folder, 'given'), join(folder, 'data')];
  const start = () => {
    const [, ...args] = command.map((text) => text.replaceAll('/network/ca-platform', given).replaceAll('/data', data));
    return promisify(execFile)('sh', args);
  };
  await mkdir(join(given, 'tls-ca'), { recursive: true });
  const files = ['ca-cert.pem', 'ca-key.pem', 'tls-ca/ca-key.pem'];
  for (const file of files) await writeFile(join(given, file), `all of ${file}`);
  await mkdir(data);
  // Killed in the middle of the second file.
  await writeFile(join(data, 'ca-cert.pem'), 'all of ca-cert.pem', { mode: 0o400 });
  await writeFile(join(data, 'ca-key.pem'), 'all', { mode: 0o400 });
  await start();
  for (const file of files) expect(await readFile(join(data, file), 'utf8')).toBe(`all of ${file}`);
  await rm(join(data, 'ca-cert.pem'));
  await writeFile(join(data, 'ca-cert.pem'), 'renewed');
  await start();
  expect(await readFile(join(data, 'ca-cert.pem'), 'utf8')).toBe('renewed');
});

test('names are names of hosts', () => {
  expect(['PlatformMSP', 'WorkerRuMSP', 'OrdererMSP'].map(slugOf)).toEqual(['platform', 'worker-ru', 'orderer']);
  const { orderers, peers, authorities } = deployedTopology({ ordering: 'bft', membership: 'fabric-ca' });
  expect([orderers.length, peers.length, authorities.length]).toEqual([4, 3, 4]);
  const hosts = [...orderers, ...peers, ...authorities].map(({ host }) => host);
  for (const host of hosts) expect(host).toMatch(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/);
  expect(new Set(hosts).size).toBe(hosts.length);
});

test('YAML quotes what a reader would take for something else', () => {
  const value = {
    a: ['no', '0.5', '1:2', 'plain-word', '', "it's", { b: true, c: [] }, ['x']],
    d: {},
    e: undefined,
    f: null,
  };
  expect(yamlOf(value)).toBe(
    `a:\n  - 'no'\n  - '0.5'\n  - '1:2'\n  - plain-word\n  - ''\n  - "it's"\n  - b: true\n    c: []\n  - - x\nd: {}\nf: null\n`,
  );
});
