/** What a Docker Engine on this machine holds of what sandboxes need, and what follows from each lack. */

import { allowedImages, askEngine } from '@assay/worker';
import type { Finding } from './finding.ts';

export interface EngineInfo {
  readonly version: string;
  readonly cgroupVersion: string;
  readonly cgroupDriver: string;
  readonly runtimes: readonly string[];
  /** Such as `userns`, `seccomp`, `rootless`. */
  readonly security: readonly string[];
}

const askMs = 5000;

/** What the engine at the socket says of itself; a sentence where none answers. */
export async function engineInfo(socketPath: string): Promise<EngineInfo | string> {
  try {
    const { status, body } = await askEngine(socketPath, 'GET', '/info', { timeoutMs: askMs });
    if (status !== 200) return `it answers ${status}`;
    return readInfo(JSON.parse(body));
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : (error as Error);
    return whyNot(cause, socketPath);
  }
}

function whyNot(cause: Error, socketPath: string): string {
  const { code } = cause as NodeJS.ErrnoException;
  if (code === 'ENOENT') return `there is no ${socketPath}`;
  if (code === 'EACCES') return `this user may not open ${socketPath}`;
  if (code === 'ECONNREFUSED') return `nobody listens at ${socketPath}`;
  return cause.message;
}

function readInfo(value: unknown): EngineInfo {
  const info = (typeof value === 'object' && value !== null ? value : {}) as Readonly<Record<string, unknown>>;
  const text = (key: string) => (typeof info[key] === 'string' ? info[key] : '');
  const security = Array.isArray(info['SecurityOptions']) ? info['SecurityOptions'].map(String) : [];
  return {
    version: text('ServerVersion'),
    // Engines before cgroup v2 did not say.
    cgroupVersion: text('CgroupVersion') || '1',
    cgroupDriver: text('CgroupDriver'),
    runtimes: Object.keys(info['Runtimes'] ?? {}),
    security: security.map((option) => /^name=([^,]+)/.exec(option)?.[1] ?? option),
  };
}

const daemonFile = '/etc/docker/daemon.json';

/** The findings about an engine that answers. */
export function engineFindings(info: EngineInfo, images: readonly string[]): Finding[] {
  const { security, runtimes } = info;
  const users = security.find((name) => name === 'userns' || name === 'rootless');
  return [
    { what: 'Docker', state: 'ok', text: `Engine ${info.version}` },
    runtimes.includes('runsc')
      ? { what: 'gVisor', state: 'ok', text: 'strangers’ jobs run on the runtime runsc' }
      : {
          what: 'gVisor',
          state: 'missing',
          text: 'no runtime runsc: Docker runs trusted jobs only (policy trusted), strangers’ jobs go without it',
          fix: `deploy/tools/build gvisor, then name runsc under "runtimes" in ${daemonFile} and restart Docker`,
        },
    users === undefined
      ? {
          what: 'userns',
          state: 'missing',
          text: 'root in a container would be root here, so nothing is run in Docker',
          fix: `put "userns-remap": "default" into ${daemonFile} and restart Docker`,
        }
      : { what: 'userns', state: 'ok', text: users === 'userns' ? 'containers have users of their own' : 'rootless' },
    security.includes('seccomp')
      ? { what: 'seccomp', state: 'ok', text: 'system calls are filtered' }
      : {
          what: 'seccomp',
          state: 'missing',
          text: 'system calls cannot be filtered, so nothing is run in Docker',
          fix: 'use a kernel and an engine with seccomp',
        },
    {
      what: 'cgroup',
      state: 'ok',
      text: `version ${info.cgroupVersion}, driver ${info.cgroupDriver || 'unknown'}`,
    },
    images.length > 0
      ? { what: 'images', state: 'ok', text: images.join(', ') }
      : {
          what: 'images',
          state: 'missing',
          text: 'none is built: no runner runs in Docker',
          fix: './assay images build',
        },
  ];
}

/** All about Docker on this machine. */
export async function dockerFindings(socketPath: string, imagesDir?: string): Promise<Finding[]> {
  const info = await engineInfo(socketPath);
  if (typeof info !== 'string')
    return engineFindings(
      info,
      allowedImages(imagesDir).map(({ runner }) => runner),
    );
  return [
    {
      what: 'Docker',
      state: 'missing',
      text: `no engine answers (${info}): units run in WebAssembly, which needs none`,
      ...fixOf(info, socketPath),
    },
  ];
}

function fixOf(why: string, socketPath: string): { readonly fix?: string } {
  if (why.includes('may not open')) return { fix: `usermod -aG docker USER, which makes that user as strong as root` };
  if (why.startsWith('there is no') && process.platform === 'linux') {
    return { fix: `apt-get install docker.io, or say --docker-socket PATH where it is not ${socketPath}` };
  }
  return {};
}
