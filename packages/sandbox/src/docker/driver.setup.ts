/** A docker driver over the tests' own engine, with the collector of this checkout in its image. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { SandboxHarness } from '@assay/core/conformance';
import { neededImages } from '../images/images.setup.ts';
import { loadImage } from '../images/load.ts';
import { readRecipe } from '../images/recipe.ts';
import { layFiles, readOutput, sha256 } from '../capture/inputs.setup.ts';
import { removeCgroup } from './cgroup.ts';
import type { CreateBody } from './container-body.ts';
import { daemonAt } from './daemon.ts';
import { dockerDriver, type DockerDriver, type DockerDriverDeps } from './driver.ts';
import { programSettings } from './engine/config.ts';
import { startEngine, type Engine } from './engine/engine.ts';
import type { Needed } from './engine/programs.setup.ts';

export interface DockerKitOptions {
  readonly runtime: 'runc' | 'runsc';
  /** Takes measures away from every container, to show that a test notices: `(body) => ({ ...body, … })`. */
  readonly weaken?: (body: CreateBody) => CreateBody;
  readonly warm?: DockerDriverDeps['warm'];
  readonly egress?: DockerDriverDeps['egress'];
}

export interface DockerKit extends SandboxHarness {
  readonly driver: DockerDriver;
  readonly engine: Engine;
  /** A folder of this kit's own. */
  readonly folder: string;
  readonly image: string;
  /** The cgroup that this kit's containers lie below. */
  readonly cgroupParent: string;
  /** Another driver on the same engine and image. */
  another(changes: Partial<DockerDriverDeps>): DockerDriver;
  /** The ids of this kit's containers that the daemon knows. */
  containers(): Promise<string[]>;
  close(): Promise<void>;
}

/** What a suite on the runtime needs of this machine. */
export function neededFor(runtime: 'runc' | 'runsc'): Needed {
  return neededImages(['python'], runtime === 'runsc' ? ['docker', 'runsc'] : ['docker']);
}

const runner = 'platform-runner:python';

export async function dockerKit(options: DockerKitOptions): Promise<DockerKit> {
  const engine = await startEngine();
  const folder = await mkdtemp(join(tmpdir(), 'assay-docker-'));
  const image = await loadImage(readRecipe('python'), programSettings().imagesDir, engine.socketPath);
  const cgroupParent = `${engine.cgroupParent.replace(/^\//, '')}/kit-${basename(folder)}`;
  const deps: DockerDriverDeps = {
    socketPath: engine.socketPath,
    cgroupParent,
    workDir: join(folder, 'runs'),
    images: [{ runner, image, programs: ['python', 'shell'] }],
    isolation: options.runtime === 'runc' ? 'trusted' : 'default',
    ...(options.weaken && { weaken: options.weaken }),
    ...(options.warm && { warm: options.warm }),
    ...(options.egress && { egress: options.egress }),
  };
  const driver = dockerDriver(deps);
  const daemon = daemonAt(engine.socketPath);
  return {
    name: `docker on ${options.runtime}`,
    sha256,
    driver,
    runner,
    engine,
    folder,
    image,
    cgroupParent,
    lay: (files) => layFiles(join(folder, 'inputs'), files),
    read: readOutput,
    another: (changes) => dockerDriver({ ...deps, ...changes }),
    async containers() {
      const filters = encodeURIComponent(JSON.stringify({ label: [`assay.sandbox.folder=${deps.workDir}`] }));
      const all = await daemon.call('GET', `/containers/json?all=1&filters=${filters}`);
      return (all as readonly { readonly Id: string }[]).map((one) => one.Id);
    },
    async close() {
      await driver.close();
      daemon.close();
      removeCgroup(cgroupParent);
      await engine.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
