/** `assay doctor`: what this machine has and lacks, and what follows. */

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { usualSettings } from '@assay/worker';
import type { Arguments } from '../arguments.ts';
import type { Command } from '../command.ts';
import { checkout, defaultStateDir } from '../config.ts';
import { dockerFindings, engineInfo } from '../findings/docker.ts';
import { allWell, tellFindings, type Finding } from '../findings/finding.ts';
import { diskFinding, gpuFinding, machineFindings } from '../findings/machine.ts';
import { sandboxFindings } from '../findings/sandboxes.ts';

export const doctorCommand: Command = {
  usage: 'doctor [--json] [--docker-socket PATH]',
  options: {
    json: { kind: 'flag', doc: 'print JSON' },
    'docker-socket': { kind: 'text', doc: 'the socket of the Docker Engine', default: usualSettings.docker_socket },
  },
  positionals: [],
  run,
};

/** A program that something else needs. */
function program(what: string, command: string, args: readonly string[], without: string): Finding {
  const result = spawnSync(command, [...args], { encoding: 'utf8', timeout: 5000 });
  if (result.status === 0) return { what, state: 'ok', text: result.stdout.trim().split('\n')[0] ?? '' };
  return { what, state: 'missing', text: without };
}

async function run(args: Arguments): Promise<number> {
  const socketPath = args.text('docker-socket') ?? usualSettings.docker_socket;
  const settings = { ...usualSettings, docker_socket: socketPath };
  const runtimes = async () => {
    const info = await engineInfo(socketPath);
    return typeof info === 'string' ? undefined : info.runtimes;
  };
  const sandboxes = await sandboxFindings(join(defaultStateDir(), 'doctor'), settings);
  const findings = [
    ...machineFindings(),
    await diskFinding(checkout),
    ...sandboxes.findings,
    ...(await dockerFindings(socketPath)),
    await gpuFinding(runtimes, sandboxes.runners),
    program('Chromium', 'chromium', ['--version'], 'not installed: the browser tests are skipped'),
    program('git', 'git', ['--version'], 'not installed: ./assay check cannot list the tree'),
  ];
  tellFindings(findings, args.flag('json'));
  return allWell(findings) ? 0 : 1;
}
