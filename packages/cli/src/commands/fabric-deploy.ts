/** `assay fabric deploy|material`: the same network for Docker Compose and Kubernetes, and the keys that it starts from. */

import { resolve } from 'node:path';
import {
  deploymentFormats,
  makeMaterial,
  systemClock,
  writeDeployment,
  type Deployment,
  type DeploymentFormat,
} from '@assay/server';
import { UsageError, type Arguments } from '../arguments.ts';
import type { Command } from '../command.ts';
import { toolsDir } from '../config.ts';
import { paint, print } from '../terminal.ts';
import { orderingOf } from './fabric.ts';

const networkOptions = {
  ordering: { kind: 'text', doc: 'raft, raft-3 or bft', default: 'raft' },
  ca: { kind: 'flag', doc: 'three organisations, each with a fabric-ca server of its own' },
  out: { kind: 'text', doc: 'the folder to write into; by default this one', default: '.' },
} as const;

export const fabricDeployCommand: Command = {
  usage: 'fabric deploy --format compose|kubernetes [--ordering raft|raft-3|bft] [--ca] [--out DIR]',
  options: { format: { kind: 'text', doc: 'compose or kubernetes' }, ...networkOptions },
  positionals: [],
  run: runDeploy,
};

export const fabricMaterialCommand: Command = {
  usage: 'fabric material [--ordering raft|raft-3|bft] [--ca] [--authorities] [--authority-port N] [--out DIR]',
  options: {
    ...networkOptions,
    authorities: { kind: 'flag', doc: 'with --ca, only what the fabric-ca servers start from' },
    'authority-port': {
      kind: 'number',
      doc: 'with --ca, the servers answer on this machine, on this port and those after it; by default by their names',
    },
  },
  positionals: [],
  run: runMaterial,
};

function deploymentOf(args: Arguments): Deployment {
  return { ordering: orderingOf(args).ordering ?? 'raft', membership: args.flag('ca') ? 'fabric-ca' : 'own' };
}

async function runDeploy(args: Arguments): Promise<number> {
  const format = args.text('format') ?? '';
  if (!(deploymentFormats as readonly string[]).includes(format)) {
    throw new UsageError(`--format takes ${deploymentFormats.join(', ')}`);
  }
  const folder = resolve(args.text('out') ?? '.');
  const paths = await writeDeployment(folder, format as DeploymentFormat, deploymentOf(args));
  for (const path of paths) print(`${folder}/${path}`);
  return 0;
}

async function runMaterial(args: Arguments): Promise<number> {
  const port = args.number('authority-port');
  const folder = resolve(args.text('out') ?? '.');
  const isNew = await makeMaterial({
    folder,
    tools: toolsDir(),
    deployment: deploymentOf(args),
    onlyAuthorities: args.flag('authorities'),
    ...(port === undefined ? {} : { authorityPort: port }),
    nowMs: systemClock.nowMs(),
  });
  if (isNew) print(`${paint('green', '✓')} ${folder}/material has every key: keep it where nobody else reads`);
  else print(`${folder}/material was made before and stays`);
  return 0;
}
