/** Whether this machine can run the files for Docker Compose: an engine, Compose, Fabric's programs, Debian's apt, Go. */

import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { homedir } from 'node:os';

const { env } = process;
const programs = ['dockerd', 'containerd', 'runc', 'docker', 'docker-compose', 'apt-get', 'go'];

function missing(): string | undefined {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'only root of a Linux can start an engine';
  const path = [...(env['PATH'] ?? '').split(delimiter), '/usr/local/go/bin', '/usr/sbin', '/sbin'];
  const program = programs.find((name) => !path.some((folder) => existsSync(join(folder, name))));
  if (program !== undefined) return `no ${program}`;
  const tools = env['ASSAY_TOOLS_DIR'] ?? join(env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'assay', 'tools');
  const set = ['fabric-2.5.9', 'fabric-ca-1.5.21'].find((name) => !existsSync(join(tools, name)));
  return set === undefined ? undefined : `no ${join(tools, set)}: run deploy/tools/build`;
}

const reason = missing();
if (reason !== undefined && (env['ASSAY_REQUIRE'] ?? '').split(/[\s,]+/).includes('compose')) {
  throw new Error(`ASSAY_REQUIRE names compose, and this machine lacks it: ${reason}`);
}

/** What to append to a suite's name where it is skipped. */
export const composeLacks = reason === undefined ? undefined : ` (skipped: ${reason})`;
