import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
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
