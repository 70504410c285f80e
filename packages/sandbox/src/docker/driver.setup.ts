/** A docker driver over the tests' own engine, with the collector of this checkout in its image. */

import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import type { SandboxHarness } from '@assay/core/conformance';
import { readAllowlist } from '../images/allowlist.ts';
import { layFiles, readOutput, sha256 } from '../capture/inputs.setup.ts';
import type { CreateBody } from './container-body.ts';
import { daemonAt } from './daemon.ts';
import { dockerDriver, type DockerDriver, type DockerDriverDeps } from './driver.ts';
import { askEngine } from './engine/api.ts';
import { programSettings } from './engine/config.ts';
import { startEngine, type Engine } from './engine/engine.ts';
import { needed, type Needed } from './engine/programs.setup.ts';

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
  /** Another driver on the same engine and image. */
  another(changes: Partial<DockerDriverDeps>): DockerDriver;
  /** The ids of this kit's containers that the daemon knows. */
  containers(): Promise<string[]>;
  close(): Promise<void>;
}

/** What a suite on the runtime needs of this machine. */
export function neededFor(runtime: 'runc' | 'runsc'): Needed {
  return runtime === 'runsc' ? needed('docker', 'runsc') : needed('docker');
}

const runner = 'platform-runner:python';

export async function dockerKit(options: DockerKitOptions): Promise<DockerKit> {
  const engine = await startEngine();
  const folder = await mkdtemp(join(tmpdir(), 'assay-docker-'));
  const image = await imageOfThisCheckout(engine.socketPath);
  const deps: DockerDriverDeps = {
    socketPath: engine.socketPath,
    cgroupParent: engine.cgroupParent,
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
    lay: (files) => layFiles(join(folder, 'inputs'), files),
    read: readOutput,
    another: (changes) => dockerDriver({ ...deps, ...changes }),
    async containers() {
      const all = (await daemon.call('GET', '/containers/json?all=1')) as readonly { Id: string; ImageID: string }[];
      return all.filter((one) => one.ImageID === image).map((one) => one.Id);
    },
    async close() {
      await driver.close();
      daemon.close();
      await engine.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

const shim = new URL('../../../../images/shim/', import.meta.url);

/** The Python image that was built here, with the collector as it is now, so that a change of it needs no new image. */
async function imageOfThisCheckout(socketPath: string): Promise<string> {
  const base = await builtImage(socketPath);
  const hash = createHash('sha256').update(base);
  for (const name of (await readdir(shim)).toSorted()) hash.update(name).update(await readFile(new URL(name, shim)));
  const tag = hash.digest('hex').slice(0, 16);
  const known = await askEngine(socketPath, 'GET', `/images/assay-test:${tag}/json`);
  if (known.status === 200) return (JSON.parse(known.body) as { Id: string }).Id;
  const daemon = daemonAt(socketPath);
  const made = (await daemon.call('POST', '/containers/create', { Image: base, Cmd: ['true'] })) as { Id: string };
  try {
    const put = await askEngine(socketPath, 'PUT', `/containers/${made.Id}/archive?path=/`, {
      body: collectorArchive(),
    });
    if (put.status !== 200) throw new Error(`the engine did not take the collector: ${put.body}`);
    const path = `/commit?container=${made.Id}&repo=assay-test&tag=${tag}`;
    return ((await daemon.call('POST', path, { Env: ['PATH=/usr/local/bin:/usr/bin:/bin'] })) as { Id: string }).Id;
  } finally {
    await daemon.call('DELETE', `/containers/${made.Id}?force=1&v=1`);
    daemon.close();
  }
}

async function builtImage(socketPath: string): Promise<string> {
  const allowed = readAllowlist(programSettings().imagesDir).filter((one) => one.runner === runner);
  for (const name of [...allowed.map(({ image }) => image), runner]) {
    const { status, body } = await askEngine(socketPath, 'GET', `/images/${name}/json`);
    if (status === 200) return (JSON.parse(body) as { Id: string }).Id;
  }
  throw new Error(`the image of ${runner} is not built here: ./assay images build python`);
}

function collectorArchive(): Readable {
  const options = ['--create', '--owner=0', '--group=0', '--mode=a+rX,go-w', '--transform=s,^\\.,platform,'];
  return spawn('tar', [...options, '-C', shim.pathname, '.'], { stdio: ['ignore', 'pipe', 'inherit'] }).stdout;
}
