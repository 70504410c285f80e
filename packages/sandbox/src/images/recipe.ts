/** What an image is made of: one small file per image in `images/`, the piece that all share, and its name by hash. */

import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  hashOf,
  integerShape,
  listShape,
  oneOfShape,
  recordShape,
  refuse,
  textShape,
  withDefault,
  type Sha256,
  type Sha256Hex,
  type Shape,
} from '@assay/core';

/** The kinds of entry point that an image runs: by ending `.py`, `.R` and `.sh`. */
export const imagePrograms = ['python', 'r', 'shell'] as const;
export type ImageProgram = (typeof imagePrograms)[number];

/** A file of this checkout that goes into every image. */
export interface ImageFile {
  readonly hostPath: string;
  readonly path: string;
  readonly mode: number;
}

export interface Recipe {
  readonly name: string;
  /** `platform-runner:` and the name. */
  readonly runner: string;
  readonly summary: string;
  readonly programs: readonly ImageProgram[];
  readonly suite: string;
  /** The newest time of any file, in seconds: what makes two builds equal. */
  readonly epochSeconds: number;
  readonly packages: readonly string[];
  /** Globs of files that packages bring and the image does not hold, except for those that `keep` names. */
  readonly exclude: readonly string[];
  readonly keep: readonly string[];
  /** Globs of what is removed in the end, because the packages' own set-up needs it. */
  readonly remove: readonly string[];
  readonly files: readonly ImageFile[];
  /** The program that ends the making of the root folder. */
  readonly finish: string;
  /** Of what decides the root folder: all but the files. */
  readonly rootHash: Sha256Hex;
  /** Of all of it. */
  readonly hash: Sha256Hex;
}

/** Changes whenever the way of building changes what comes out. */
const buildVersion = 1;

const maxPackages = 64;
const maxGlobs = 256;
const name = /^[a-z][a-z0-9-]{0,39}$/;
const packageName = textShape({ pattern: '^[a-z0-9][a-z0-9+.-]+$', rule: 'the name of a Debian package', max: 100 });
const glob = textShape({ pattern: '^/[A-Za-z0-9_./+*-]+$', rule: 'an absolute path with stars', max: 200 });
const globs = withDefault(listShape(glob, maxGlobs), []);

const commonShape = recordShape({
  suite: oneOfShape(['bookworm']),
  epoch: integerShape(0, 4_102_444_800),
  exclude: globs,
  keep: globs,
  remove: globs,
});
const imageShape = recordShape({
  summary: textShape({ pattern: '^[ -~]+$', rule: 'plain text', min: 1, max: 200 }),
  programs: listShape(oneOfShape(imagePrograms), imagePrograms.length),
  packages: listShape(packageName, maxPackages),
  exclude: globs,
  keep: globs,
  remove: globs,
});

/** The recipes of this checkout. */
export const recipesDir: string = fileURLToPath(new URL('../../../../images', import.meta.url));

/** The names of all recipes in the folder, sorted. */
export function recipeNames(folder: string = recipesDir): string[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.json') && file !== 'common.json')
    .map((file) => file.slice(0, -'.json'.length))
    .filter((file) => name.test(file))
    .toSorted();
}

/** Reads one recipe; refuses `sandbox.refused` for one that is not there or is not well formed. */
export function readRecipe(wanted: string, folder: string = recipesDir): Recipe {
  const names = recipeNames(folder);
  if (!names.includes(wanted)) {
    throw refuse('sandbox.refused', `there is no image ${wanted}; there are ${names.join(', ')}`);
  }
  const common = read(commonShape, join(folder, 'common.json'));
  const own = read(imageShape, join(folder, `${wanted}.json`));
  const files = platformFiles(join(folder, 'shim'));
  const finish = join(folder, 'finish');
  const recipe = {
    name: wanted,
    runner: `platform-runner:${wanted}`,
    summary: own.summary,
    programs: own.programs,
    suite: common.suite,
    epochSeconds: common.epoch,
    packages: own.packages.toSorted(),
    exclude: [...common.exclude, ...own.exclude],
    keep: [...common.keep, ...own.keep],
    remove: [...common.remove, ...own.remove],
  };
  const { summary: _summary, programs: _programs, ...root } = recipe;
  const rootHash = hashOf(sha256, 'image-root', { ...root, buildVersion, finish: sha256OfFile(finish) });
  const hash = hashOf(sha256, 'image', {
    ...recipe,
    rootHash,
    files: files.map(({ hostPath, path, mode }) => ({ path, mode, sha256: sha256OfFile(hostPath) })),
  });
  return { ...recipe, files, finish, rootHash, hash };
}

const sha256: Sha256 = (bytes) => createHash('sha256').update(bytes).digest();

function read<T>(shape: Shape<T>, path: string): T {
  const faults: string[] = [];
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw refuse('sandbox.refused', `${path} is not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  const value = shape.read(json, '', (fault) => faults.push(`${fault.path} ${fault.message}`.trim()));
  if (value === undefined) throw refuse('sandbox.refused', `${path}: ${faults.join('; ')}`);
  return value;
}

/** What runs as the first process and what it needs: `/platform` of every image. */
function platformFiles(folder: string): ImageFile[] {
  return readdirSync(folder)
    .toSorted()
    .map((file) => join(folder, file))
    .filter((hostPath) => statSync(hostPath).isFile())
    .map((hostPath) => ({
      hostPath,
      path: `/platform/${hostPath.slice(folder.length + 1)}`,
      mode: (statSync(hostPath).mode & 0o100) === 0 ? 0o644 : 0o755,
    }));
}

function sha256OfFile(path: string): string {
  return createHash('sha256').update(readFileSync(path)).digest('hex');
}
