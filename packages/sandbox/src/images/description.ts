/** The documents that describe an image (OCI image specification 1.0), and so decide what engines call it. */

import { createHash } from 'node:crypto';
import { isoTime } from '@assay/core';
import type { Recipe } from './recipe.ts';

export const architectures = ['amd64', 'arm64'] as const;
export type Architecture = (typeof architectures)[number];

export interface LayerDigest {
  readonly digest: string;
  readonly sizeBytes: number;
}

const mediaTypes = {
  config: 'application/vnd.oci.image.config.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar',
  manifest: 'application/vnd.oci.image.manifest.v1+json',
} as const;

/** An image's configuration and its manifest, as the bytes whose digests count. */
export function describeImage(
  recipe: Pick<Recipe, 'runner' | 'hash' | 'epochSeconds'>,
  architecture: Architecture,
  layers: readonly LayerDigest[],
): { readonly config: string; readonly manifest: string } {
  const created = isoTime(recipe.epochSeconds * 1000);
  const config = JSON.stringify({
    architecture,
    os: 'linux',
    created,
    config: {
      Env: ['PATH=/usr/local/bin:/usr/bin:/bin'],
      Entrypoint: ['/platform/shim'],
      User: '65534:65534',
      Labels: { 'assay.runner': recipe.runner, 'assay.recipe': recipe.hash },
    },
    rootfs: { type: 'layers', diff_ids: layers.map(({ digest }) => digest) },
    history: layers.map(() => ({ created, created_by: 'assay images build' })),
  });
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    config: { mediaType: mediaTypes.config, digest: digestOf(config), size: Buffer.byteLength(config) },
    layers: layers.map(({ digest, sizeBytes }) => ({ mediaType: mediaTypes.layer, digest, size: sizeBytes })),
  });
  return { config, manifest };
}

/** The index of an archive that holds one image under the name of its runner. */
export function describeArchive(runner: string, manifest: string): string {
  return JSON.stringify({
    schemaVersion: 2,
    manifests: [
      {
        mediaType: mediaTypes.manifest,
        digest: digestOf(manifest),
        size: Buffer.byteLength(manifest),
        annotations: { 'io.containerd.image.name': runner },
      },
    ],
  });
}

export function digestOf(text: string): string {
  return `sha256:${createHash('sha256').update(text).digest('hex')}`;
}
