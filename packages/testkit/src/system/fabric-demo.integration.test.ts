import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { networkStatus, toolsFolder } from '@assay/ledger';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { commandFolder, soon, type CommandProcess } from './command-process.setup.ts';

const { env } = process;
const tools = env['ASSAY_TOOLS_DIR'] ?? join(env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'assay', 'tools');
const peer = join(toolsFolder(tools, 'raft'), 'peer');
const isMissing = !existsSync(peer);
const isRequired = (env['ASSAY_REQUIRE'] ?? '').split(/[\s,]+/).includes('fabric');
const main = fileURLToPath(new URL('../../../cli/src/main.ts', import.meta.url));

let folder: string;
let command: CommandProcess;
beforeEach(async () => {
  ({ folder, command } = await commandFolder('assay-on-fabric-'));
});
afterEach(async () => {
  command.stop();
  fabric('down', '--erase');
  await rm(folder, { recursive: true, force: true });
});

const network = (): string => join(folder, 'state', 'demo-fabric', 'fabric');

function fabric(...args: readonly string[]): number | null {
  const environment = { PATH: env['PATH'], ASSAY_STATE_DIR: join(folder, 'state'), ASSAY_TOOLS_DIR: tools };
  const all = [main, 'fabric', ...args, '--folder', network()];
  return spawnSync(process.execPath, all, { env: environment, encoding: 'utf8' }).status;
}

test.skipIf(isMissing && !isRequired)(
  `the demo settles its jobs on a Fabric network that is away for a while (needs ${peer}: run deploy/tools/build fabric)`,
  { timeout: 400_000 },
  async () => {
    expect(isMissing, `${peer} is required`).toBe(false);
    const demo = command.start(['demo', '--ledger', 'fabric', '--exit', '--port', '0', '--window', '1'], {
      ASSAY_CONSOLE_DIR: join(folder, 'console'),
      ASSAY_TOOLS_DIR: tools,
    });
    await soon(120_000, () => (demo.text().includes('replicas running') ? true : demo.hasEnded() || undefined));
    expect(demo.hasEnded(), demo.text()).toBe(false);
    for (const { pid } of (await networkStatus(network())).programs) if (pid !== null) process.kill(pid, 'SIGKILL');
    await sleep(2000);
    expect(demo.hasEnded(), demo.text()).toBe(false);
    expect(fabric('up')).toBe(0);
    expect(await demo.ended, demo.text()).toBe(0);
    expect(demo.text()).toContain('verified offline just now');
    expect((await networkStatus(network())).state).toBe('stopped');
  },
);
