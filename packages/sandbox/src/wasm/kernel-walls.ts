/**
 * What the Linux kernel adds around a child where util-linux is there to ask it: no new privileges and an end with its
 * parent; for root also an empty network namespace, no capabilities and the unprivileged user.
 */

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

export interface KernelWalls {
  /** What is put before the child's own command. */
  readonly command: readonly string[];
  /** For people. */
  readonly words: string;
  /** Whether the command also takes on the unprivileged user. */
  readonly changesUser: boolean;
}

const none: KernelWalls = { command: [], words: 'no walls of the kernel', changesUser: false };
const run = promisify(execFile);

/** The strongest walls that stand here, tried out; they are the same for every child. */
export async function kernelWalls(identity: { uid: number; gid: number } | undefined): Promise<KernelWalls> {
  if (process.platform !== 'linux') return none;
  const death = ['setpriv', '--no-new-privs', '--pdeathsig', 'KILL'];
  const wanted: KernelWalls[] = [{ command: death, words: 'no new privileges', changesUser: false }];
  if (identity) {
    const { uid, gid } = identity;
    const user = [`--reuid=${uid}`, `--regid=${gid}`, '--clear-groups', '--inh-caps=-all', '--bounding-set=-all'];
    wanted.unshift({
      command: ['unshare', '--net', '--ipc', '--', ...death, ...user],
      words: 'no new privileges, no capabilities, an empty network namespace',
      changesUser: true,
    });
  }
  for (const walls of wanted) {
    const [program = '', ...args] = walls.command;
    try {
      await run(program, [...args, '/bin/true'], { timeout: 5000, env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' } });
      return walls;
    } catch {
      // Not there, or not allowed here, as in many containers: the next one may be.
    }
  }
  return none;
}
