/** What has been built: the root folder of a recipe, and the image that it makes with the files of this checkout. */

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { integerShape, listShape, recordShape, textShape, type Shape, type ShapeOf } from '@assay/core';
import { describeImage, digestOf, type Architecture } from './description.ts';
import type { ImageFile, ImageProgram, Recipe } from './recipe.ts';
import { maxEntryBytes, tarEnd, tarHead, tarPadding } from './tar.ts';

const word = textShape({ pattern: '^[!-~]+$', rule: 'a word', min: 1, max: 200 });

export const rootShape = recordShape({
  /** Of what decides the root folder. */
  recipe: textShape({ pattern: '^[0-9a-f]{64}$', rule: 'a SHA-256 hash', max: 64 }),
  layer: textShape({ pattern: '^sha256:[0-9a-f]{64}$', rule: 'a SHA-256 digest', max: 71 }),
  layerBytes: integerShape(1, maxEntryBytes),
  packages: listShape(recordShape({ name: word, version: word }), 10_000),
});

/** A built root folder. */
export type RootRecord = ShapeOf<typeof rootShape>;

/** A built image. */
export interface ImageRecord {
  readonly runner: string;
  readonly architecture: Architecture;
  readonly recipe: string;
  /** What an engine calls the image: the digest of its configuration, which names those of its layers. */
  readonly image: string;
  /** What an engine with the newer image store calls it. */
  readonly manifest: string;
  readonly programs: readonly ImageProgram[];
  readonly packages: RootRecord['packages'];
  /** The lower layer. */
  readonly root: { readonly layer: string; readonly layerBytes: number; readonly path: string };
}

/** Docker's name for this machine's processor, undefined where no image is made for it. */
export function thisArchitecture(): Architecture | undefined {
  return ({ x64: 'amd64', arm64: 'arm64' } as const)[process.arch as 'x64' | 'arm64'];
}

/** Where the built root folder of this recipe lies. */
export function rootFolder(imagesDir: string, recipe: Recipe, architecture: Architecture): string {
  return join(imagesDir, `${recipe.name}-${recipe.rootHash.slice(0, 16)}-${architecture}`);
}

export const rootFiles = { archive: 'root.tar', record: 'root.json' } as const;

/** The recipe's image, undefined where its root folder has not been built here. */
export function builtImage(imagesDir: string, recipe: Recipe): ImageRecord | undefined {
  const architecture = thisArchitecture();
  if (architecture === undefined) return undefined;
  const folder = rootFolder(imagesDir, recipe, architecture);
  const root = readShaped(rootShape, join(folder, rootFiles.record));
  if (root?.recipe !== recipe.rootHash) return undefined;
  const { config, manifest } = describeImage(recipe, architecture, layersOf(recipe, root));
  return {
    runner: recipe.runner,
    architecture,
    recipe: recipe.hash,
    image: digestOf(config),
    manifest: digestOf(manifest),
    programs: recipe.programs,
    packages: root.packages,
    root: { layer: root.layer, layerBytes: root.layerBytes, path: join(folder, rootFiles.archive) },
  };
}

/** The two layers of an image, the lower first. */
export function layersOf(recipe: Recipe, root: Pick<RootRecord, 'layer' | 'layerBytes'>) {
  const platform = platformLayer(recipe.files, recipe.epochSeconds);
  const digest = `sha256:${createHash('sha256').update(platform).digest('hex')}`;
  return [
    { digest: root.layer, sizeBytes: root.layerBytes },
    { digest, sizeBytes: platform.length },
  ];
}

/** The upper layer: `/platform` with what this checkout puts there, so that a change of it rebuilds nothing else. */
export function platformLayer(files: readonly ImageFile[], mtimeSeconds: number): Buffer {
  const parts = files.flatMap(({ hostPath, path, mode }) => {
    const bytes = readFileSync(hostPath);
    return [tarHead({ path: path.slice(1), mode, mtimeSeconds }, bytes.length), bytes, tarPadding(bytes.length)];
  });
  return Buffer.concat([tarHead({ path: 'platform/', mode: 0o755, mtimeSeconds }, 0), ...parts, tarEnd()]);
}

/** The JSON file's value, undefined where the file is missing or not of the shape. */
export function readShaped<T>(shape: Shape<T>, path: string): T | undefined {
  try {
    return shape.read(JSON.parse(readFileSync(path, 'utf8')), '', () => undefined);
  } catch {
    return undefined;
  }
}
