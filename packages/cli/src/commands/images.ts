/** `assay images …`: the images that the docker driver runs units in, built on this machine. */

import {
  builtImage,
  buildImage,
  dockerfileOf,
  programSettings,
  readAllowlist,
  readRecipe,
  recipeNames,
  type ImageRecord,
} from '@assay/sandbox';
import type { Arguments } from '../arguments.ts';
import type { Command } from '../command.ts';
import { interruption } from '../interruption.ts';
import { columns, print, statusLine } from '../terminal.ts';

const json = { kind: 'flag', doc: 'print JSON' } as const;

export const imageCommands: readonly Command[] = [
  {
    name: 'images build',
    usage: 'images build [NAME…] [--fresh] [--json]',
    summary: 'Builds the runners’ images from Debian packages, all or those named, and allows them on this machine.',
    options: { fresh: { kind: 'flag', doc: 'build anew from the packages of today' }, json },
    positionals: ['NAME…?'],
    run: build,
  },
  {
    name: 'images list',
    usage: 'images list [--json]',
    summary: 'Lists the images: what they hold, whether they are built here, their digests.',
    options: { json },
    positionals: [],
    run: list,
  },
  {
    name: 'images dockerfile',
    usage: 'images dockerfile NAME',
    summary: 'Prints the same recipe as a Dockerfile, for those who have a registry.',
    options: {},
    positionals: ['NAME'],
    run: dockerfile,
  },
];

function summaryOf({ packages, root, ...record }: ImageRecord): Record<string, unknown> {
  return { ...record, sizeBytes: root.layerBytes, packages: packages.length };
}

async function build(args: Arguments): Promise<number> {
  // Before the first long build, so that a mistyped name is told at once.
  const recipes = (args.positionals.length === 0 ? recipeNames() : args.positionals).map((name) => readRecipe(name));
  const stop = interruption();
  try {
    for (const recipe of recipes) {
      const line = statusLine();
      const startedMs = performance.now();
      const seconds = (): string => `${Math.round((performance.now() - startedMs) / 1000)} s`;
      const record = await buildImage(recipe, {
        imagesDir: programSettings().imagesDir,
        fresh: args.flag('fresh'),
        stop: stop.signal,
        progress: (step) => {
          if (!args.flag('json')) line.show(`${recipe.name}: ${step} (${seconds()})`);
        },
      });
      if (args.flag('json')) print(JSON.stringify(summaryOf(record)));
      else line.show(`${recipe.runner} is ${record.image} (${megabytes(record)}, ${seconds()})`);
      line.end();
    }
  } finally {
    stop.release();
  }
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
