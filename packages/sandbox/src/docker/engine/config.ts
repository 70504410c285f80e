/** What the environment says about outside programs: the only place here that reads it. */

import { delimiter, join } from 'node:path';

export interface ProgramSettings {
  /** Where programs are looked for, in order. */
  readonly path: readonly string[];
  /** Where `deploy/tools/build` puts what it builds. */
  readonly toolsDir: string;
  /** Where the engine that Assay starts for itself keeps images, when no folder is named. */
  readonly engineDir: string;
  /** Where built images are kept. */
  readonly imagesDir: string;
  /** The proxies that downloads go through. */
  readonly downloadEnvironment: Readonly<Record<string, string>>;
  /** The programs whose absence fails a test run instead of skipping tests. */
  readonly required: readonly string[];
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Reads ASSAY_TOOLS_DIR, ASSAY_ENGINE_DIR, ASSAY_IMAGES_DIR, ASSAY_REQUIRE, XDG_CACHE_HOME, PATH and proxies. */
export function programSettings(env: Environment = process.env): ProgramSettings {
  const cache = env['XDG_CACHE_HOME'] || join(env['HOME'] || '/', '.cache');
  // Debian keeps daemons in sbin, which is not on everybody's path.
  const folders = [...(env['PATH'] ?? '').split(delimiter), '/usr/local/sbin', '/usr/sbin', '/sbin'];
  return {
    path: folders.filter((folder, at) => folder.startsWith('/') && folders.indexOf(folder) === at),
    toolsDir: env['ASSAY_TOOLS_DIR'] || join(cache, 'assay', 'tools'),
    engineDir: env['ASSAY_ENGINE_DIR'] || '/var/lib/assay/engine',
    imagesDir: env['ASSAY_IMAGES_DIR'] || join(cache, 'assay', 'images'),
    downloadEnvironment: Object.fromEntries(
      Object.entries(env).flatMap(([name, value]) => (isProxy(name) && value ? [[name, value]] : [])),
    ),
    required: (env['ASSAY_REQUIRE'] ?? '').split(/[\s,]+/).filter((name) => name !== ''),
  };
}

function isProxy(name: string): boolean {
  return /^(?:https?|ftp|no)_proxy$/i.test(name);
}
