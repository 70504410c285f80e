/** System calls that no job needs, each tried with arguments that do no harm where it is let through. */

import { native, type Probe } from '../probe.setup.ts';

const kernel = (id: string, what: string, code: string): Probe => native('kernel', `kernel.${id}`, what, code);
const scratch = "os.makedirs(scratch + '/m', exist_ok=True)\ntarget = os.fsencode(scratch + '/m')\n";

export const kernelProbes: readonly Probe[] = [
  kernel(
    'ptrace',
    'attach to a child as its debugger',
    "child = os.fork()\nif child == 0:\n  time.sleep(5)\n  os._exit(0)\nreaches('ptrace', 16, child, 0, 0)\nos.kill(child, 9)",
  ),
  kernel(
    'ptrace-me',
    'ask to be traced',
    "if os.fork() == 0:\n  reaches('ptrace', 0, 0, 0, 0)\n  os._exit(0)\nos.wait()",
  ),
  kernel(
    'process-vm',
    "read another process's memory",
    "word = ctypes.create_string_buffer(8)\nvector = (ctypes.c_ulong * 2)(ctypes.addressof(word), 8)\nreaches('process_vm_readv', os.getpid(), vector, 1, vector, 1, 0)",
  ),
  kernel('kcmp', 'compare kernel objects of processes', "reaches('kcmp', os.getpid(), os.getpid(), 0, 0, 0)"),
  kernel(
    'pidfd-getfd',
    "take another process's descriptor",
    "child = os.fork()\nif child == 0:\n  time.sleep(5)\n  os._exit(0)\ntry: reaches('pidfd_getfd', call('pidfd_open', child, 0), 1, 0)\nexcept OSError as error: print('refused', error)\nos.kill(child, 9)",
  ),
  kernel('process-madvise', "advise on another process's memory", "reaches('process_madvise', -1, 0, 0, 0, 0)"),
  kernel('mount', 'mount a tmpfs', `${scratch}reaches('mount', b'none', target, b'tmpfs', 0, 0)`),
  kernel('bind-mount', 'bind the root elsewhere', `${scratch}reaches('mount', b'/', target, 0, 4096, 0)`),
  kernel('mount-proc', 'mount a fresh /proc', `${scratch}reaches('mount', b'proc', target, b'proc', 0, 0)`),
  kernel('umount', 'unmount what is not mounted', "reaches('umount2', b'/tmp/none', 0)"),
  kernel('fsopen', 'open a file system', "reaches('fsopen', b'tmpfs', 0)"),
  kernel('fspick', 'pick a mounted file system', "reaches('fspick', -100, b'/', 0)"),
  kernel('open-tree', 'clone a mount tree', "reaches('open_tree', -100, b'/', 1)"),
  kernel('move-mount', 'move a mount', "reaches('move_mount', -1, b'', -1, b'', 0)"),
  kernel('mount-setattr', "change a mount's flags", "reaches('mount_setattr', -100, b'/', 0, b'\\0' * 32, 32)"),
  kernel('pivot-root', 'change the root file system', "reaches('pivot_root', b'/tmp/none', b'/tmp/none')"),
  kernel('chroot', 'change the root folder', "reaches('chroot', b'/tmp')"),
  kernel('unshare-user', 'make a user namespace', "reaches('unshare', 0x10000000)"),
  kernel('unshare-mount', 'make a mount namespace', "reaches('unshare', 0x20000)"),
  kernel('unshare-network', 'make a network namespace', "reaches('unshare', 0x40000000)"),
  kernel(
    'clone-user',
    'clone into a user namespace',
    "child = -1\ntry: child = call('clone', 0x10000000 | 17, 0, 0, 0, 0)\nexcept OSError as error: print('refused', error)\nif child == 0: os._exit(0)\nif child > 0: escaped('cloned')",
  ),
  kernel(
    'setns',
    'enter a namespace',
    "for path in ['/proc/self/ns/net', '/proc/self/ns/uts'] + [f'/proc/1/ns/{name}' for name in ('mnt', 'net', 'user', 'pid')]:\n  try: reaches('setns', os.open(path, os.O_RDONLY), 0)\n  except OSError as error: print('refused', error)",
  ),
  kernel('keyctl', "read the session's keyring", "reaches('keyctl', 0, -3, 0, 0, 0)"),
  kernel('add-key', 'add a key', "reaches('add_key', b'user', b'assay-probe', b'x', 1, -2)"),
  kernel('request-key', 'request a key', "reaches('request_key', b'user', b'assay-none', 0, -2)"),
  kernel(
    'perf',
    'open a performance counter',
    "attr = struct.pack('<IIQQQQQ', 1, 112, 0, 0, 0, 0, 1 << 5 | 1) + b'\\0' * 64\nreaches('perf_event_open', attr, 0, -1, -1, 0)",
  ),
  kernel('bpf', 'make a BPF map', "reaches('bpf', 0, struct.pack('<IIIII', 2, 4, 8, 1, 0) + b'\\0' * 100, 120)"),
  kernel('io-uring', 'set up an io_uring', "reaches('io_uring_setup', 1, b'\\0' * 120)"),
  kernel(
    'inotify',
    "use up the host's watches on files, which count against the engine's own user",
    "reaches('inotify_init1', 0)",
  ),
  kernel('userfaultfd', 'handle page faults', "reaches('userfaultfd', 0)"),
  kernel(
    'name-to-handle',
    'name a file by handle',
    "reaches('name_to_handle_at', -100, b'/etc', struct.pack('<Ii', 128, 0) + b'\\0' * 128, ctypes.create_string_buffer(8), 0)",
  ),
  kernel(
    'open-by-handle',
    'open a file by handle, past every path',
    "reaches('open_by_handle_at', -100, struct.pack('<Ii', 8, 1) + b'\\0' * 8, 0)",
  ),
  kernel('vmsplice', 'splice memory into a pipe', "r, w = os.pipe()\nreaches('vmsplice', w, 0, 0, 0)"),
  kernel('memfd-secret', 'make memory that the host cannot look at', "reaches('memfd_secret', 0)"),
  kernel(
    'machine',
    'reach the machine: its modules, its ports, another kernel, its switch',
    "reaches('init_module', 0, 0, b'')\nreaches('finit_module', -1, b'', 0)\nreaches('kexec_load', 0, 999, 0, 0)\nreaches('iopl', 3)\nreaches('swapon', b'/tmp/none', 0)\nreaches('reboot', 0xfee1dead, 672274793, 1, 0)",
  ),
  kernel('acct', 'account for processes', "reaches('acct', b'/tmp/none')"),
  kernel('dmesg', "read the kernel's log", "reaches('syslog', 3, ctypes.create_string_buffer(64), 64)"),
  kernel('settime', "set the host's clock (to nothing)", "reaches('settimeofday', 0, 0)"),
  kernel(
    'hostname',
    'set the host name (to what it is)',
    "name = socket.gethostname().encode()\nreaches('sethostname', name, len(name))",
  ),
  kernel('fanotify', 'watch all files', "reaches('fanotify_init', 0, 0)"),
];
