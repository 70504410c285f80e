import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runPython } from '@assay/core/conformance';
import { cellKeeper } from './cell-keeper.ts';
import type { CreateBody } from './container-body.ts';
import { daemonAt } from './daemon.ts';
import { dockerKit, neededFor, type DockerKit } from './driver.setup.ts';
import { testWalls } from './make-ready.ts';

const without = (host: Record<string, unknown>) => (body: CreateBody) => ({
  ...body,
  HostConfig: { ...body.HostConfig, ...host },
});

/** Lets a unit make sockets of the internet. */
const network = [{ host: 'data.example.org', port: 443 }];

describe.each(['runc', 'runsc'] as const)('docker on %s', (runtime) => {
  const { skip, why } = neededFor(runtime);
  describe.skipIf(skip)(`holds its measures${why}`, () => {
    let kit: DockerKit;
    beforeAll(async () => {
      kit = await dockerKit({ runtime });
    }, 60_000);
    afterAll(() => kit.close());

    const wallsOf = async (weaken?: (body: CreateBody) => CreateBody) => {
      const daemon = daemonAt(kit.engine.socketPath);
      const cgroupBase = kit.cgroupParent;
      const warm = { cells: 0, memoryBytes: 0 };
      const keeper = cellKeeper({
        daemon,
        cgroupBase,
        countsSockets: false,
        workDir: kit.folder,
        warm,
        note: () => {},
        ...(weaken && { weaken }),
      });
      const image = { runner: kit.runner, image: kit.image, programs: [] };
      try {
        return await testWalls(kit.folder, keeper, image, runtime);
      } finally {
        await keeper.close();
        daemon.close();
      }
    };

    it('by the word of a container', async () => {
      expect(await wallsOf()).toEqual([]);
    });

    it.each([
      ['a writable root', { ReadonlyRootfs: false, CapDrop: null }, /writable|Cap/],
      ['capabilities', { CapDrop: null }, /Cap/],
      ['no seccomp profile', { SecurityOpt: ['no-new-privileges', 'seccomp=unconfined'] }, /Seccomp|unshare/],
      ['new privileges', { SecurityOpt: [] }, /NoNewPrivs|unshare|io_uring/],
      ['programs in /tmp', { Tmpfs: { '/tmp': 'rw,exec,size=1m,mode=0700,uid=65534,gid=65534' } }, /exec-from-tmp/],
    ] as const)('and notices %s', async (_what, host, found) => {
      expect((await wallsOf(without(host))).join('; ')).toMatch(found);
    });

    it('and bounds what the kernel holds for sockets', async () => {
      const code = `
import socket
listener = socket.socket()
listener.bind(('127.0.0.1', 0))
listener.listen(99)
queued, kept = 0, []
for _ in range(60):
    near = socket.create_connection(listener.getsockname())
    kept.append((near, listener.accept()[0]))
    for end in kept[-1]:
        end.setblocking(False)
        try:
            while True: queued += end.send(bytes(65536))
        except BlockingIOError: pass
print(queued // 2**20 < 48)
`;
      const { outcome, stdout } = await runPython(kit, code, { network, limits: { memoryBytes: 256 * 1024 ** 2 } });
      if (runtime === 'runc') expect(stdout).toBe('True\n');
      // gVisor's sockets lie in its own memory.
      else expect(outcome.usage.peakBytes).toBeLessThan(400 * 1024 ** 2);
    });

    it.runIf(runtime === 'runc')('and ends a unit whose many sockets pass that bound', async () => {
      const code = `
import os, socket, time
for _ in range(12):
    if os.fork() == 0:
        listener = socket.socket()
        listener.bind(('127.0.0.1', 0))
        listener.listen(99)
        kept = []
        for _ in range(100):
            near = socket.create_connection(listener.getsockname())
            kept.append((near, listener.accept()[0]))
            for end in kept[-1]:
                end.setblocking(False)
                try:
                    while True: end.send(bytes(65536))
                except BlockingIOError: pass
        time.sleep(60)
time.sleep(60)
`;
      const { outcome } = await runPython(kit, code, { network, limits: { memoryBytes: 512 * 1024 ** 2 } });
      expect(outcome.ending).toEqual({ kind: 'killed', why: 'memory' });
    });

    it('and lets no unit slow the collector down, but itself', async () => {
      const code = `
import ctypes, os
kernel = ctypes.CDLL(None, use_errno=True)
ioprio_set, sched_setattr = {'x86_64': (251, 314), 'aarch64': (30, 274)}[os.uname().machine]
def tried(name, *arguments):
    ctypes.set_errno(0)
    answer = kernel.syscall(*(ctypes.c_long(each) if isinstance(each, int) else each for each in arguments))
    print(name, 'done' if answer >= 0 else ctypes.get_errno())
def asked(name, act):
    try: print(name, 'done', act() or '')
    except OSError as error: print(name, error.errno)
idle, plain = os.sched_param(0), (48).to_bytes(4, 'little') + bytes(44)
for pid in (1, 1 + 2**32):
    tried('ioprio', ioprio_set, 1, pid, 3 << 13)
    tried('attr', sched_setattr, pid, plain, 0)
asked('user', lambda: os.setpriority(os.PRIO_USER, 0, 19))
asked('group', lambda: os.setpriority(os.PRIO_PGRP, 0, 19))
asked('nice', lambda: os.setpriority(os.PRIO_PROCESS, 1, 19))
asked('idle', lambda: os.sched_setscheduler(1, os.SCHED_IDLE, idle))
asked('own nice', lambda: os.setpriority(os.PRIO_PROCESS, 0, 5))
asked('own idle', lambda: os.sched_setscheduler(0, os.SCHED_BATCH, idle))
`;
      const { stdout, stderr } = await runPython(kit, code);
      expect(stderr).toBe('');
      const said = stdout
        .trim()
        .split('\n')
        .map((line) => line.trim());
      const foreign = 'ioprio 1, attr 1, ioprio 1, attr 1, user 1, group 1, nice 1, idle 1';
      expect(said.slice(0, 8).join(', ')).toBe(foreign);
      expect(said.slice(8)).toEqual(['own nice done', 'own idle done']);
    });

    it('and takes no memory of the kernel that nobody counts', async () => {
      const code = `
import ctypes, os, resource, shutil, socket, subprocess
kernel = ctypes.CDLL(None, use_errno=True)
setsockopt, prctl, socket_call = {'x86_64': (54, 157, 41), 'aarch64': (208, 167, 198)}[os.uname().machine]
def refused(name, act):
    try: print('done', name, act())
    except OSError as error:
        if error.errno != 1: print(name, error)
def raw(name, *arguments):
    ctypes.set_errno(0)
    if kernel.syscall(*(ctypes.c_long(each) for each in arguments)) != -1 or ctypes.get_errno() != 1: print('done', name)
for family in (socket.AF_INET, socket.AF_INET6):
    for protocol in (1, 132, 136, 262):
        refused(f'protocol {protocol}', lambda: socket.socket(family, socket.SOCK_STREAM if protocol == 262 else socket.SOCK_DGRAM, protocol))
        raw(f'protocol {protocol} and more', socket_call, family, socket.SOCK_STREAM, protocol + 2**32)
refused('netlink', lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0))
here, there = socket.socketpair()
for option in (26, 50, 51, 52): raw(f'filter {option}', setsockopt, here.fileno(), 1 + 2**32, option + 2**32, 0, 0)
for option in (26, 50, 51, 52): refused(f'filter {option}', lambda: here.setsockopt(1, option, b''))
raw('seccomp', prctl, 22 + 2**32, 2, 0)
raw('seccomp', prctl, 22, 2, 0)
tcp = socket.socket()
refused('datagrams', lambda: socket.socket(type=socket.SOCK_DGRAM))
refused('datagrams', lambda: socket.socket(socket.AF_INET6, socket.SOCK_DGRAM))
for option in (3, 4, 6, 11, 24, 35, 49): raw(f'option {option} of IP', setsockopt, tcp.fileno(), 0, option, 0, 0)
refused('orphans', lambda: tcp.setsockopt(6, 8, 120))
with open('plain', 'wb') as file: file.write(b'x' * 9999)
refused('pages of files', lambda: os.sendfile(here.fileno(), os.open('plain', os.O_RDONLY), 0, 9999))
for name in ('system.posix_acl_access', 'user.x'):
    try: print('done', name, os.setxattr('plain', name, b'x'))
    except OSError as error:
        if error.errno != 38: print(name, error)
shutil.copy2('plain', 'copied')
subprocess.run(['cp', '-a', 'plain', 'again'], check=True)
subprocess.run(['tar', '-cf', 'all.tar', 'plain', 'copied', 'again'], check=True)
refused('other protocols above', lambda: tcp.setsockopt(6, 31, b'mptcp'))
refused('more', lambda: here.sendmsg([b'x'], [], socket.MSG_MORE))
refused('limits of another', lambda: resource.prlimit(1, resource.RLIMIT_NOFILE, (3, 3)))
tcp.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
tcp.settimeout(3)
socket.socket(socket.AF_INET6).setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
resource.setrlimit(resource.RLIMIT_NOFILE, (100, 200))
here.sendall(b'fine')
print(there.recv(4), socket.getaddrinfo('127.0.0.1', 80)[0][4], resource.getrlimit(resource.RLIMIT_NOFILE))
`;
      const { stdout, stderr } = await runPython(kit, code, { network });
      expect(stderr).toBe('');
      expect(stdout).toBe("b'fine' ('127.0.0.1', 80) (100, 200)\n");
    });

    it('and makes none but local sockets where it may connect to nobody', async () => {
      const code = `
import socket, subprocess
for family in (socket.AF_INET, socket.AF_INET6):
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        try: print(socket.socket(family, kind))
        except PermissionError: pass
here, there = socket.socketpair()
here.sendall(b'fine')
print(there.recv(4), subprocess.run(['/usr/bin/env'], capture_output=True).stdout.split(b'=')[0])
`;
      const { stdout } = await runPython(kit, code);
      expect(stdout).toMatch(/^b'fine' b'[A-Z]\w*'\n$/);
    });

    it('and shows neither terminals nor what else the machine does', async () => {
      const code = `
import os
try: print(os.openpty())
except OSError: print('no terminal')
for path in ('/proc/cmdline', '/proc/diskstats', '/proc/interrupts', '/proc/partitions', '/proc/softirqs', '/proc/sys/kernel/random/boot_id'):
    try: print(path, open(path).read()) if open(path).read() else None
    except OSError: pass
for path in ('/sys/class', '/sys/block', '/sys/devices/virtual', '/sys/kernel', '/sys/module', '/sys/fs/ext4', '/proc/fs', '/dev/pts'):
    try: print(path, os.listdir(path)) if os.listdir(path) else None
    except OSError: pass
if os.uname().release != '4.19.0-gvisor':
    for name in set(os.listdir('/sys/devices')) - {'system'}: print(name, os.listdir('/sys/devices/' + name) or '')
print(len(os.sched_getaffinity(0)) > 0, os.path.exists('/sys/devices/system/cpu'))
`;
      const { stdout } = await runPython(kit, code);
      // gVisor's terminals, devices and names are its own.
      if (runtime === 'runc') expect(stdout).toMatch(/^no terminal\n(\S+ \n)*True True\n$/);
      else expect(stdout).not.toContain(readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim());
      expect(stdout.endsWith('True True\n')).toBe(true);
    });

    it('refuses more of the machine than there is', async () => {
      const run = runPython(kit, 'pass', { limits: { cpuCores: 64 } });
      await expect(run).rejects.toMatchObject({ code: 'sandbox.refused' });
    });

    it('runs nothing without its image, and pulls none', async () => {
      const id = `sha256:${'0'.repeat(64)}`;
      for (const image of [id, 'platform-runner:python', 'debian:latest']) {
        const driver = kit.another({ images: [{ runner: kit.runner, image, programs: ['python'] }] });
        const report = await driver.probe();
        expect(report).toMatchObject({ usable: false, runners: [] });
        expect(report.detail).toMatch(/not on this machine|by their ids/);
        await expect(runPython({ ...kit, driver }, 'pass')).rejects.toMatchObject({ code: 'sandbox.unavailable' });
        await driver.close();
      }
    });

    it('says what is wrong where there is no daemon', async () => {
      const driver = kit.another({ socketPath: `${kit.folder}/none.sock` });
      expect(await driver.probe()).toMatchObject({ usable: false, runners: [] });
      await expect(runPython({ ...kit, driver }, 'pass')).rejects.toMatchObject({ code: 'sandbox.unavailable' });
      await driver.close();
    });
  });
});
