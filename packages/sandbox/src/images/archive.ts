/**
 * A built image as the archive that `POST /images/load` takes. Loading rather than importing, because an import puts
 * the time of day into the image and so into its digest; here every byte follows from the root folder and the recipe.
 * The archive is at once Docker's own and an OCI layout, which engines with the newer image store want.
 */

import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import { describeArchive, describeImage, digestOf } from './description.ts';
import { layersOf, platformLayer, type ImageRecord } from './record.ts';
import type { Recipe } from './recipe.ts';
import { tarEnd, tarHead, tarPadding } from './tar.ts';

/** The archive of the recipe's image. */
export function imageArchive(recipe: Recipe, { architecture, root }: ImageRecord): Readable {
  const layers = layersOf(recipe, root);
  const { config, manifest } = describeImage(recipe, architecture, layers);
  const docker = {
    Config: blob(digestOf(config)),
    RepoTags: [recipe.runner],
    Layers: layers.map(({ digest }) => blob(digest)),
  };
  const platform = platformLayer(recipe.files, recipe.epochSeconds);
  const small: readonly (readonly [string, Buffer])[] = [
    ['oci-layout', Buffer.from('{"imageLayoutVersion":"1.0.0"}')],
    ['index.json', Buffer.from(describeArchive(recipe.runner, manifest))],
    ['manifest.json', Buffer.from(JSON.stringify([docker]))],
    [blob(digestOf(config)), Buffer.from(config)],
    [blob(digestOf(manifest)), Buffer.from(manifest)],
    [blob(layers[1]?.digest ?? ''), platform],
  ];
  return Readable.from(entries(), { objectMode: false });

  async function* entries(): AsyncGenerator<Buffer> {
    for (const [path, bytes] of small) yield Buffer.concat([head(path, bytes.length), bytes, tarPadding(bytes.length)]);
    yield head(blob(root.layer), root.layerBytes);
    for await (const chunk of createReadStream(root.path, { highWaterMark: 1024 * 1024 })) yield chunk as Buffer;
    yield tarPadding(root.layerBytes);
    yield tarEnd();
  }
}

function head(path: string, sizeBytes: number): Buffer {
  return tarHead({ path, mode: 0o644, mtimeSeconds: 0 }, sizeBytes);
}

function blob(digest: string): string {
  return `blobs/sha256/${digest.slice('sha256:'.length)}`;
}
