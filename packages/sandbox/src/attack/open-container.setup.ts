/** A container with every wall taken down, and a careless collector in it: the positive control of what is tried on docker. */

import { existsSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { askEngine } from '../docker/engine/api.ts';
import type { Attempt } from './attack-suite.setup.ts';
import type { Canaries } from './canaries.setup.ts';
import { naiveCollector } from './probes/prelude.setup.ts';

/** Runs each attempt as a process of its own in a fresh folder, then collects what it left. */
const harness = `
import json, os, subprocess, sys
folder = sys.argv[1]
answers = []
def left_behind(marker):
    for pid in os.listdir('/proc'):
        try:
            if pid.isdigit() and marker in open('/proc/' + pid + '/cmdline').read(): return True
        except OSError: pass
    return False
collect = open(folder + '/collect.py').read()
os.environ['ASSAY_CANARY'] = open(folder + '/secret').read()
for index, attempt in enumerate(json.load(open(folder + '/attempts.json'))):
    here = f'{folder}/{index}'
    os.makedirs(here + '/results')
    os.environ['TMPDIR'] = here
    open(here + '/main.py', 'w').write(attempt['code'])
    open(here + '/collect.py', 'w').write("import os\\ndef escaped(what): print('ESC' + 'APED', what)\\n" + collect)
    text = ''
    for name in ('main.py', 'collect.py'):
        try:
            done = subprocess.run([sys.executable, here + '/' + name], cwd=here, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, timeout=20, close_fds=False)
            said = done.stdout.decode(errors='replace')
        except subprocess.TimeoutExpired as error:
            said = (error.stdout or b'').decode(errors='replace')
        if name == 'main.py' and open(here + '/main.py').read() != attempt['code']:
            said += '\\nESC' + 'APED the input was changed'
        if name == 'main.py' and left_behind(open(folder + '/marker').read()):
            said += '\\nESC' + 'APED a process was left behind'
        text += said if len(said) < 400_000 else said[:200_000] + said[-200_000:]
    answers.append([attempt['id'], text])
open(folder + '/answers.json', 'w').write(json.dumps(answers))
`;

/** What each attempt printed in the engine's image `image`, as root of the host with nothing held back. */
export async function inOpenContainer(
  engine: { readonly socketPath: string; readonly image: string },
  attempts: readonly Attempt[],
  canaries: Canaries,
): Promise<ReadonlyMap<string, string>> {
  const folder = await mkdtemp(join(tmpdir(), 'assay-open-'));
  try {
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'attempts.json'), JSON.stringify(attempts));
    await writeFile(join(folder, 'collect.py'), naiveCollector);
    await writeFile(join(folder, 'harness.py'), harness);
    await writeFile(join(folder, 'secret'), canaries.secret);
    await writeFile(join(folder, 'marker'), String(canaries.names['marker']));
    await runOpen(engine, folder, canaries);
    return new Map(JSON.parse(await readFile(join(folder, 'answers.json'), 'utf8')) as [string, string][]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function runOpen(
  { socketPath, image }: { readonly socketPath: string; readonly image: string },
  folder: string,
  canaries: Canaries,
): Promise<void> {
  const body = {
    Image: image,
    Entrypoint: [],
    // A program that makes root, and a descriptor that leads out, as in the runc of CVE-2024-21626.
    Cmd: [
      '/bin/sh',
      '-c',
      'cp /bin/true /opt/suid && chmod 4755 /opt/suid; exec 9<"$1"; exec python3 "$0/harness.py" "$0"',
      folder,
      canaries.folder,
    ],
    User: '0:0',
    Labels: { 'assay.control': 'attack' },
    HostConfig: {
      CapAdd: heldCapabilities(),
      SecurityOpt: ['seccomp=unconfined', 'no-new-privileges=false'],
      MaskedPaths: [],
      ReadonlyPaths: [],
      DeviceCgroupRules: ['a *:* rwm'],
      Devices: ['/dev/kmsg', '/dev/loop-control', '/dev/kvm', '/dev/mem']
        .filter((path) => existsSync(path))
        .map((path) => ({ PathOnHost: path, PathInContainer: path, CgroupPermissions: 'rwm' })),
      NetworkMode: 'host',
      PidMode: 'host',
      IpcMode: 'host',
      UTSMode: 'host',
      UsernsMode: 'host',
      CgroupnsMode: 'host',
      Runtime: 'runc',
      Binds: [
        `${tmpdir()}:${tmpdir()}`,
        `${String(canaries.names['state'])}:/job`,
        `${join(canaries.folder, 'docker.sock')}:/run/docker.sock`,
        '/etc/machine-id:/etc/machine-id:ro',
        '/sys:/sys',
      ],
    },
  };
  const options = { body: Readable.from(JSON.stringify(body)), contentType: 'application/json' };
  const made = await askEngine(socketPath, 'POST', '/containers/create', options);
  const id = (JSON.parse(made.body) as { Id?: string }).Id;
  if (id === undefined) throw new Error(`the open container was not made: ${made.body}`);
  try {
    const started = await askEngine(socketPath, 'POST', `/containers/${id}/start`);
    if (started.status >= 300) throw new Error(`the open container did not start: ${started.body}`);
    await askEngine(socketPath, 'POST', `/containers/${id}/wait`, { timeoutMs: 200_000 });
  } finally {
    await askEngine(socketPath, 'DELETE', `/containers/${id}?force=1&v=1`);
  }
}

const capabilities =
  'chown dac_override dac_read_search fowner fsetid kill setgid setuid setpcap linux_immutable net_bind_service net_broadcast net_admin net_raw ipc_lock ipc_owner sys_module sys_rawio sys_chroot sys_ptrace sys_pacct sys_admin sys_boot sys_nice sys_resource sys_time sys_tty_config mknod lease audit_write audit_control setfcap mac_override mac_admin syslog wake_alarm block_suspend audit_read'.split(
    ' ',
  );

/** All that this machine's root has: a container cannot be given more, and asking for all fails where one is missing. */
function heldCapabilities(): string[] {
  const bounding = BigInt(`0x${/^CapBnd:\s+(\w+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0'}`);
  return capabilities.filter((_, bit) => (bounding >> BigInt(bit)) & 1n).map((name) => `CAP_${name.toUpperCase()}`);
}
