/** Brings a built image into an engine. */

import { assert, Fault, refuse } from '@assay/core';
import { askEngine } from '../docker/engine/api.ts';
import { allowImage } from './allowlist.ts';
import { imageArchive } from './archive.ts';
import { builtImage } from './record.ts';
import type { Recipe } from './recipe.ts';

const loadMs = 10 * 60_000;

/**
 * Sees to it that the engine has the recipe's image, allows it by the id that the engine gives it, and returns that.
 * Refuses `sandbox.unavailable` where the image has not been built.
 */
export async function loadImage(recipe: Recipe, imagesDir: string, socketPath: string): Promise<string> {
  const record = builtImage(imagesDir, recipe);
  if (record === undefined) {
    throw refuse('sandbox.unavailable', `${recipe.runner} is not built: ./assay images build ${recipe.name}`);
  }
  const digests = [record.image, record.manifest];
  const image = (await idInEngine(socketPath, digests)) ?? (await load());
  const { runner, architecture, programs } = record;
  await allowImage(imagesDir, { runner, architecture, image, recipe: record.recipe, programs });
  return image;

  async function load(): Promise<string> {
    assert(record, 'only what is built is loaded');
    const body = imageArchive(recipe, record);
    const reply = await askEngine(socketPath, 'POST', '/images/load?quiet=1', { body, timeoutMs: loadMs });
    const loaded = await idInEngine(socketPath, digests);
    if (loaded !== undefined) {
      await removeReplaced(socketPath, recipe.runner);
      return loaded;
    }
    const message = `the engine did not take ${recipe.runner}: ${reply.status} ${reply.body.trim()}`;
    throw new Fault('sandbox.fault', message, { retry: false });
  }
}

/** The one of `digests` that the engine knows an image by. */
async function idInEngine(socketPath: string, digests: readonly string[]): Promise<string | undefined> {
  for (const digest of digests) {
    const { status, body } = await askEngine(socketPath, 'GET', `/images/${digest}/json`);
    if (status === 200) return (JSON.parse(body) as { readonly Id: string }).Id;
  }
  return undefined;
}

/** Removes images of the runner whose name went on to another; the engine keeps those that containers use. */
async function removeReplaced(socketPath: string, runner: string): Promise<void> {
  const filters = JSON.stringify({ label: [`assay.runner=${runner}`], dangling: ['true'] });
  const { status, body } = await askEngine(socketPath, 'GET', `/images/json?filters=${encodeURIComponent(filters)}`);
  if (status !== 200) return;
  for (const { Id } of JSON.parse(body) as readonly { readonly Id: string }[]) {
    await askEngine(socketPath, 'DELETE', `/images/${Id}`);
  }
}
