/** The files by which a deployed network is run, without any secret: the same input always gives the same text. */

import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { memberships } from '../topology.ts';
import { composeFile } from './compose.ts';
import { kubernetesFiles } from './kubernetes.ts';
import type { Deployment } from './units.ts';
import { yamlOf, type Yaml } from './yaml.ts';

export const deploymentFormats = ['compose', 'kubernetes'] as const;
export type DeploymentFormat = (typeof deploymentFormats)[number];

/** `raft-3`, or `raft-3-ca` with fabric-ca. */
export function deploymentName({ ordering, membership }: Deployment): string {
  return memberships[membership].authorities ? `${ordering}-ca` : ordering;
}

/** Paths below the deployment's folder, and their text. */
export function deploymentFiles(format: DeploymentFormat, deployment: Deployment): ReadonlyMap<string, string> {
  const { ordering, membership } = deployment;
  const ca = membership === 'fabric-ca' ? ' --ca' : '';
  const head = `# Written by: ./assay fabric deploy --format ${format} --ordering ${ordering}${ca}\n`;
  const written = (documents: readonly Yaml[]): string => head + documents.map(yamlOf).join('---\n');
  if (format === 'kubernetes') {
    return new Map([...kubernetesFiles(deployment)].map(([path, documents]) => [path, written(documents)]));
  }
  return new Map([
    ['compose.yaml', written([composeFile(deployment)])],
    // Not in the file itself, where version 1 of Compose refuses it.
    ['.env', `${head}COMPOSE_PROJECT_NAME=assay-fabric-${deploymentName(deployment)}\n`],
  ]);
}

/** Writes them and returns their paths below the folder. */
export async function writeDeployment(
  folder: string,
  format: DeploymentFormat,
  deployment: Deployment,
): Promise<string[]> {
  const files = deploymentFiles(format, deployment);
  for (const [path, text] of files) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
  return [...files.keys()];
}
