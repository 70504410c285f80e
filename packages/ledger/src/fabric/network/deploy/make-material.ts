/** Keys and settings of a deployed network, made on the operator's own machine. */

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { refuse } from '@assay/core';
import { memberships } from '../topology.ts';
import { findTools } from '../tools.ts';
import { writeAuthorities, writeMaterial } from './material.ts';
import { deployedTopology, type Deployment } from './units.ts';

export interface MakeMaterialOptions {
  /** `material` in it gets everything, `shares` and `authorities/shares` what each program is given. */
  readonly folder: string;
  /** The folder of `deploy/tools/build`. */
  readonly tools: string;
  readonly deployment: Deployment;
  /** Ends when the fabric-ca servers have what they start from. */
  readonly onlyAuthorities: boolean;
  /** The fabric-ca servers answer on this machine, on this port and those after it, in the order of the files. */
  readonly authorityPort?: number;
  readonly nowMs: number;
}

/** Returns whether there was anything to do. Refuses `config.invalid` where a program is missing. */
export async function makeMaterial(options: MakeMaterialOptions): Promise<boolean> {
  const { folder, deployment, onlyAuthorities, authorityPort, nowMs } = options;
  const { ordering, membership } = deployment;
  const { authorities } = memberships[membership];
  if (onlyAuthorities && !authorities) throw refuse('config.invalid', 'this network makes its authorities itself');
  const root = join(folder, 'material');
  await mkdir(root, { recursive: true, mode: 0o700 });
  const servers = new Set(deployedTopology(deployment).authorities.map(({ name }) => name));
  // kustomize takes files from its own folder and below only.
  const shareOf = (name: string) => join(folder, servers.has(name) ? 'authorities/shares' : 'shares', name);
  const common = { deployment, root, shareOf, nowMs };
  const isNew = authorities && (await writeAuthorities(common));
  if (onlyAuthorities) return isNew;
  const at = (_: unknown, index: number) => ({ host: 'localhost', port: (authorityPort ?? 0) + index });
  const tools = findTools(options.tools, ordering, membership);
  return writeMaterial({ ...common, tools, ...(authorityPort === undefined ? {} : { authorityAt: at }) });
}
