/** The lower layer of an image: a root folder that mmdebstrap makes of Debian packages, as a tar archive. */

import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, createWriteStream, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Fault, refuse } from '@assay/core';
import { programSettings } from '../docker/engine/config.ts';
import { findProgram, lacking } from '../docker/engine/programs.ts';
import type { Architecture } from './description.ts';
import type { RootRecord } from './record.ts';
import type { Recipe } from './recipe.ts';
import { packageSources } from './sources.ts';

export interface RootOptions {
  /** A folder of the caller's, for everything that is not the result. */
  readonly workDir: string;
  /** Where the archive goes. */
  readonly path: string;
  readonly architecture: Architecture;
  /** Told what is being done. */
  readonly progress: (step: string) => void;
  readonly stop: AbortSignal;
}

/** The variable that names the work folder to every process of a build. */
export const workVariable = 'ASSAY_WORK';

const complaintLines = 12;

/** What mmdebstrap says, and what that means. */
const steps: readonly (readonly [string, string])[] = [
  ['running apt-get update', 'reading the lists of packages'],
  ['downloading packages', 'downloading the base system'],
  ['extracting archives', 'unpacking the base system'],
  ['installing essential', 'setting the base system up'],
  ['installing remaining', 'downloading and installing packages'],
  ['running --customize-hook', 'removing what no unit needs'],
  ['creating tarball', 'writing the image'],
];

/** Makes the root folder; refuses `sandbox.unavailable` without mmdebstrap, and a fault says what it said. */
export async function buildRoot(recipe: Recipe, options: RootOptions): Promise<RootRecord> {
  const reason = lacking('mmdebstrap');
  if (reason !== undefined) throw refuse('sandbox.unavailable', `images cannot be built here: ${reason}`);
  // A copy, so that what is run is what was hashed even where somebody edits the recipe meanwhile.
  const finish = join(options.workDir, 'finish');
  copyFileSync(recipe.finish, finish);
  const packageList = join(options.workDir, 'packages');
  const { downloadEnvironment, path } = programSettings();
  const mmdebstrap = findProgram('mmdebstrap') ?? 'mmdebstrap';
  // In mounts of its own, which end with it however it ends.
  const child = spawn(findProgram('unshare') ?? 'unshare', ['--mount', mmdebstrap, ...commandLine(recipe, options)], {
    stdio: ['ignore', 'pipe', 'pipe'],
    signal: options.stop,
    env: {
      ...downloadEnvironment,
      PATH: path.join(':'),
      LC_ALL: 'C.UTF-8',
      [workVariable]: options.workDir,
      TMPDIR: options.workDir,
      SOURCE_DATE_EPOCH: String(recipe.epochSeconds),
      ASSAY_PACKAGES: packageList,
      ASSAY_FINISH: finish,
    },
  });
  const ended = new Promise<number | null>((resolve, reject) => {
    let failure: Error | undefined;
    child.once('error', (error) => {
      failure = error;
      if (child.pid === undefined) reject(error);
    });
    // An interrupted one still tidies up, and only then may its folder go.
    child.once('close', (code) => (failure === undefined ? resolve(code) : reject(failure)));
  });
  const said: string[] = [];
  createInterface({ input: child.stderr }).on('line', (line) => {
    said.push(line);
    if (said.length > complaintLines) said.shift();
    const step = steps.find(([start]) => line.startsWith(`I: ${start}`))?.[1];
    if (step !== undefined) options.progress(step);
  });
  const hash = createHash('sha256');
  let layerBytes = 0;
  const measure = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      layerBytes += chunk.length;
      done(undefined, chunk);
    },
  });
  const [code] = await Promise.all([ended, pipeline(child.stdout, measure, createWriteStream(options.path))]);
  if (code !== 0 || layerBytes === 0) {
    const message = `mmdebstrap ended with status ${code}:\n${said.join('\n')}`;
    throw new Fault('sandbox.fault', message, { retry: true });
  }
  return {
    recipe: recipe.rootHash,
    layer: `sha256:${hash.digest('hex')}`,
    layerBytes,
    packages: readPackages(packageList),
  };
}

function commandLine(recipe: Recipe, { architecture }: RootOptions): string[] {
  const sources = packageSources(recipe.suite);
  return [
    // Without apt: a unit has nothing to install, and no way to.
    '--variant=essential',
    '--mode=root',
    '--format=tar',
    // The engine makes a container's devices, and no others are wanted.
    '--skip=output/dev',
    `--architectures=${architecture}`,
    `--include=${recipe.packages.join(',')}`,
    '--dpkgopt=force-unsafe-io',
    ...recipe.exclude.map((glob) => `--dpkgopt=path-exclude=${glob}`),
    ...recipe.keep.map((glob) => `--dpkgopt=path-include=${glob}`),
    // Paths of this machine come by the environment, so that none is read as a part of a command.
    `--customize-hook=chroot "$1" dpkg-query --show --showformat='\${Package} \${Version}\\n' >"$ASSAY_PACKAGES"`,
    `--customize-hook=set -f; sh "$ASSAY_FINISH" "$1" ${recipe.remove.join(' ')}`,
    recipe.suite,
    '-',
    ...sources,
  ];
}

function readPackages(path: string): RootRecord['packages'] {
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [name = '', version = ''] = line.split(' ');
      return { name, version };
    });
}
