/** Which image stands for which runner on this machine: what the docker driver starts units in, and nothing else. */

import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { listShape, oneOfShape, recordShape, textShape, type ShapeOf } from '@assay/core';
import { exclusively } from '../docker/engine/exclusive.ts';
import { architectures } from './description.ts';
import { imagePrograms } from './recipe.ts';
import { readShaped } from './record.ts';

const entryShape = recordShape({
  runner: textShape({ pattern: '^platform-runner:[a-z0-9][a-z0-9.-]*$', rule: 'platform-runner:NAME', max: 128 }),
  architecture: oneOfShape(architectures),
  /** The image's id, a digest of its content: a tag can be moved, this cannot. */
  image: textShape({ pattern: '^sha256:[0-9a-f]{64}$', rule: 'a SHA-256 digest', max: 71 }),
  /** The recipe's hash. */
  recipe: textShape({ pattern: '^[0-9a-f]{64}$', rule: 'a SHA-256 hash', max: 64 }),
  programs: listShape(oneOfShape(imagePrograms), imagePrograms.length),
});
const allowlistShape = listShape(entryShape, 1000);

/** A runner and its image. */
export type AllowedImage = ShapeOf<typeof entryShape>;

/** The allowlist of an images folder; empty where there is none, or none that is well formed. */
export function readAllowlist(imagesDir: string): readonly AllowedImage[] {
  return readShaped(allowlistShape, allowlistPath(imagesDir)) ?? [];
}

/** Puts the image in the place of what its runner had on this architecture. */
export async function allowImage(imagesDir: string, entry: AllowedImage): Promise<void> {
  mkdirSync(imagesDir, { recursive: true });
  await exclusively(`the images in ${imagesDir}`, async () => {
    const others = readAllowlist(imagesDir).filter(
      ({ runner, architecture }) => runner !== entry.runner || architecture !== entry.architecture,
    );
    const entries = [...others, entry].toSorted((a, b) => (a.runner < b.runner ? -1 : 1));
    const path = allowlistPath(imagesDir);
    // A reader sees the old list or the new one, never a half.
    writeFileSync(`${path}.new`, `${JSON.stringify(entries, undefined, 2)}\n`);
    renameSync(`${path}.new`, path);
  });
}

function allowlistPath(imagesDir: string): string {
  return join(imagesDir, 'allowlist.json');
}
