/** `assay images …`: the images that the docker driver runs units in, built on this machine. */

import { availableParallelism } from 'node:os';
import {
  builtImage,
  buildImage,
  dockerfileOf,
  engineAnswers,
  loadImage,
  programSettings,
  readAllowlist,
  readRecipe,
  recipeNames,
  type ImageRecord,
  type Recipe,
} from '@assay/sandbox';
import { usualSettings } from '@assay/worker';
import type { Arguments } from '../arguments.ts';
import type { Command } from '../command.ts';
import { interruption } from '../interruption.ts';
import { columns, print, statusLine } from '../terminal.ts';

/** Package managers wait for disks and servers half of their time. */
const buildsAtOnce = 2;

const json = { kind: 'flag', doc: 'print JSON' } as const;

export const imagesBuildCommand: Command = {
  usage: 'images build [NAME…] [--fresh] [--docker-socket PATH] [--json]',
  options: {
    fresh: { kind: 'flag', doc: 'build anew from the packages of today' },
    'docker-socket': {
      kind: 'text',
      doc: 'the engine that gets the images, where one answers there',
      default: usualSettings.docker_socket,
    },
    json,
  },
  positionals: ['NAME…?'],
  run: build,
};

export const imagesListCommand: Command = {
  usage: 'images list [--json]',
  options: { json },
  positionals: [],
  run: list,
};

export const imagesDockerfileCommand: Command = {
  usage: 'images dockerfile NAME',
  options: {},
  positionals: ['NAME'],
  run: dockerfile,
};

function summaryOf({ packages, root, ...record }: ImageRecord): Record<string, unknown> {
  return { ...record, sizeBytes: root.layerBytes, packages: packages.length };
}

async function build(args: Arguments): Promise<number> {
  // Before the first long build, so that a mistyped name is told at once.
  const recipes = (args.positionals.length === 0 ? recipeNames() : args.positionals).map((name) => readRecipe(name));
  const { imagesDir } = programSettings();
  const socketPath = args.text('docker-socket') ?? usualSettings.docker_socket;
  const answers = await engineAnswers(socketPath);
  const stop = interruption();
  const failed = new AbortController();
  const line = statusLine();
  const startedMs = performance.now();
  const seconds = (): string => `${Math.round((performance.now() - startedMs) / 1000)} s`;
  const one = async (recipe: Recipe): Promise<void> => {
    const record = await buildImage(recipe, {
      imagesDir,
      fresh: args.flag('fresh'),
      stop: AbortSignal.any([stop.signal, failed.signal]),
      progress: (step) => {
        if (!args.flag('json')) line.show(`${recipe.name}: ${step} (${seconds()})`);
      },
    });
    const loaded = answers ? await loadImage(recipe, imagesDir, socketPath) : undefined;
    if (args.flag('json')) print(JSON.stringify({ ...summaryOf(record), loaded: loaded ?? null }));
    else line.show(`${recipe.runner} is ${loaded ?? record.image} (${megabytes(record)}, ${seconds()})`);
    line.end();
  };
  const lane = async (): Promise<void> => {
    for (let recipe = recipes.shift(); recipe !== undefined; recipe = recipes.shift()) await one(recipe);
  };
  try {
    await Promise.all(Array.from({ length: Math.min(buildsAtOnce, availableParallelism()) }, lane));
  } catch (error) {
    failed.abort();
    throw error;
  } finally {
    line.end();
    stop.release();
  }
  if (!answers && !args.flag('json'))
    print(`No engine answers at ${socketPath}; one gets the images when it is there.`);
  return 0;
}

async function list(args: Arguments): Promise<number> {
  const { imagesDir } = programSettings();
  const allowed = readAllowlist(imagesDir);
  const found = recipeNames().map((name) => {
    const recipe = readRecipe(name);
    const record = builtImage(imagesDir, recipe);
    const isAllowed = record !== undefined && allowed.some(({ image }) => image === record.image);
    return { recipe, record, isAllowed };
  });
  if (args.flag('json')) {
    const rows = found.map(({ recipe: { runner, summary, hash }, record, isAllowed }) => ({
      ...(record === undefined ? { runner, recipe: hash, built: false } : { ...summaryOf(record), built: true }),
      summary,
      allowed: isAllowed,
    }));
    print(JSON.stringify(rows));
    return 0;
  }
  const rows = found.map(({ recipe, record, isAllowed }) => [
    recipe.runner,
    record === undefined ? 'not built' : megabytes(record),
    record === undefined ? '' : `${record.image.slice(0, 19)}${isAllowed ? '' : ' (not allowed: build it)'}`,
    recipe.summary,
  ]);
  print(columns(rows));
  return 0;
}

async function dockerfile(args: Arguments): Promise<number> {
  print(dockerfileOf(readRecipe(args.positional(0) ?? '')).trimEnd());
  return 0;
}

function megabytes({ root }: ImageRecord): string {
  return `${Math.round(root.layerBytes / 1e6)} MB`;
}
