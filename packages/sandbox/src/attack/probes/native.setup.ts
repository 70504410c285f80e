/** What only a job with a real kernel under it can try: files, devices, processes, privileges, networks. */

import { native, type Probe } from '../probe.setup.ts';

const fileProbes: readonly Probe[] = [
  native(
    'files',
    'files.root',
    'write to the root file system',
    "for path in ('/etc/passwd', '/etc/ld.so.cache', '/usr/lib/os-release', sys.executable): opens(os.path.realpath(path))",
  ),
  native(
    'files',
    'files.create',
    'make files outside the scratch space',
    "for folder in ('/', '/etc', '/usr', '/run', '/dev', '/var/tmp', '/dev/shm', '/opt', '/home'):\n  path = os.path.join(folder, 'assay-probe')\n  try: os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))\n  except OSError as error: print('refused', folder, error)\n  else:\n    os.unlink(path)\n    escaped(f'made {path}')",
  ),
  native(
    'files',
    'files.inputs',
    "change the host's copy of the unit's inputs",
    "try:\n  os.chmod(__file__, 0o777)\n  open(__file__, 'a').write('# changed')\nexcept OSError as error: print('refused', error)",
  ),
  native(
    'files',
    'files.descriptors',
    'leave by a descriptor that was left open',
    "for n in list(range(3, 1024)) + ['cwd', 'root']:\n  base = f'/proc/self/fd/{n}' if isinstance(n, int) else f'/proc/self/{n}'\n  for up in range(0, 12):\n    try: print(open(base + '/..' * up + '{file}').read())\n    except OSError: pass",
  ),
  native(
    'files',
    'files.exec',
    'run a program that the job wrote',
    "import shutil\nshutil.copy('/bin/true', scratch + '/program')\nos.chmod(scratch + '/program', 0o755)\ntry: subprocess.run([scratch + '/program'], check=True)\nexcept OSError as error: print('refused', error)\nelse: escaped('ran it')",
  ),
  native(
    'devices',
    'devices.host',
    "open the host's devices",
    "import glob\nfor path in ['/dev/mem', '/dev/kmsg', '/dev/port', '/dev/kvm', '/dev/loop-control', '/dev/vhost-net'] + glob.glob('/dev/[vs]d[a-z]') + glob.glob('/dev/nvidia*') + glob.glob('/dev/dri/*'): opens(path, os.O_RDONLY)",
  ),
  native(
    'devices',
    'devices.mknod',
    'make a device node and open it',
    "import stat\nfor name, kind, major, minor in (('mem', stat.S_IFCHR, 1, 1), ('kmsg', stat.S_IFCHR, 1, 11), ('disk', stat.S_IFBLK, 254, 0), ('disk2', stat.S_IFBLK, 8, 0)):\n  try: os.mknod(scratch + '/' + name, kind | 0o600, os.makedev(major, minor))\n  except OSError as error: print('refused', name, error)\n  else: opens(scratch + '/' + name, os.O_RDONLY)",
  ),
];

const procProbes: readonly Probe[] = [
  native(
    'proc and sys',
    'proc.core-pattern',
    'set what the kernel runs on a crash',
    "opens('/proc/sys/kernel/core_pattern')",
  ),
  native(
    'proc and sys',
    'proc.sysctl',
    "change the kernel's settings",
    "for name in ('kernel/modprobe', 'kernel/hostname', 'vm/overcommit_memory', 'fs/file-max', 'kernel/randomize_va_space', 'net/ipv4/ip_forward'): opens('/proc/sys/' + name)\nopens('/proc/sysrq-trigger')",
  ),
  native(
    'proc and sys',
    'proc.kallsyms',
    "learn the kernel's addresses and memory",
    "opens('/proc/kcore', os.O_RDONLY)\ntry:\n  lines = open('/proc/kallsyms').read(4096).splitlines()\nexcept OSError as error: print('refused', error)\nelse:\n  if any(int(line.split()[0], 16) for line in lines[:20]): escaped('addresses')",
  ),
  native(
    'proc and sys',
    'sys.uevent-helper',
    'set what the kernel runs on an event',
    "for path in ('/sys/kernel/uevent_helper', '/sys/kernel/profiling', '/sys/power/state', '/sys/kernel/mm/ksm/run', '/sys/module/printk/parameters/time'): opens(path)\nfor path in ('/sys/kernel/debug', '/sys/kernel/tracing', '/sys/fs/bpf'):\n  try:\n    if os.listdir(path): escaped(f'listed {path}')\n  except OSError as error: print('refused', error)",
  ),
  native(
    'proc and sys',
    'sys.cgroup',
    'leave the control group or set a release agent',
    "for folder, folders, names in os.walk('/sys/fs/cgroup'):\n  for name in ('release_agent', 'cgroup.procs', 'notify_on_release', 'memory.limit_in_bytes', 'memory.max', 'pids.max'):\n    if name in names: opens(os.path.join(folder, name))\n  if folder.count('/') > 6: folders.clear()",
  ),
];

const privilegeProbes: readonly Probe[] = [
  native('privileges', 'privileges.root', 'be root', "if os.geteuid() == 0 or os.getegid() == 0: escaped('root')"),
  native(
    'privileges',
    'privileges.capabilities',
    'hold a capability',
    "for line in open('/proc/self/status'):\n  if line.startswith(('CapEff', 'CapPrm', 'CapBnd', 'CapAmb')) and int(line.split()[1], 16): escaped(line.strip())",
  ),
  native(
    'privileges',
    'privileges.setuid',
    'become root by asking',
    "for name, args in (('setuid', (0,)), ('setgroups', (1, struct.pack('<I', 0)))): reaches(name, *args)",
  ),
  native(
    'privileges',
    'privileges.suid-files',
    'find a program that makes root',
    "import stat\nfor top in ('/bin', '/sbin', '/usr', '/lib', '/opt', '/platform'):\n  for folder, _, names in os.walk(top):\n    for name in names:\n      path = os.path.join(folder, name)\n      try: mode = os.lstat(path).st_mode\n      except OSError: continue\n      if stat.S_ISREG(mode) and mode & 0o6000:\n        free = open('/proc/self/status').read().find('NoNewPrivs:\\t0') >= 0\n        if free: escaped(path)\n        else: print('without effect', path)",
  ),
  native(
    'privileges',
    'privileges.no-new',
    'gain rights by executing',
    "if 'NoNewPrivs:\\t1' not in open('/proc/self/status').read() and os.uname().release != '4.19.0-gvisor': escaped('no_new_privs is off')",
  ),
  native(
    'privileges',
    'privileges.priority',
    'run before everybody else',
    "try: os.setpriority(os.PRIO_PROCESS, 0, -15)\nexcept OSError as error: print('refused', error)\nelse: escaped('nice -15')\ntry: os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))\nexcept OSError as error: print('refused', error)\nelse: escaped('real time')",
  ),
  native(
    'privileges',
    'privileges.rlimits',
    'raise a hard limit',
    "import resource\nfor kind in (resource.RLIMIT_NOFILE, resource.RLIMIT_CORE, resource.RLIMIT_MEMLOCK):\n  soft, hard = resource.getrlimit(kind)\n  if hard == resource.RLIM_INFINITY: escaped(f'limit {kind} is infinite')\n  else:\n    try: resource.setrlimit(kind, (soft, hard + 1))\n    except (OSError, ValueError) as error: print('refused', error)\n    else: escaped(f'raised {kind}')",
  ),
];

const networkProbes: readonly Probe[] = [
  native(
    'network',
    'network.tcp',
    "connect to the host's loopback",
    "for family, host in ((socket.AF_INET, '127.0.0.1'), (socket.AF_INET6, '::1')):\n  try:\n    socket.socket(family).connect((host, {tcp}))\n    escaped('connected ' + host)\n  except OSError as error: print('refused', error)",
  ),
  native(
    'network',
    'network.udp',
    'send a datagram to the host',
    "s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\ns.settimeout(1)\ntry:\n  s.connect(('127.0.0.1', {udp}))\n  s.send(b'probe')\n  print(s.recv(100))\n  escaped('answered')\nexcept OSError as error: print('refused', error)",
  ),
  native(
    'network',
    'network.interfaces',
    'have an interface besides the loopback',
    "for _, name in socket.if_nameindex():\n  if name not in ('lo', 'tunl0', 'sit0', 'ip6tnl0', 'gre0', 'gretap0', 'erspan0', 'ip_vti0', 'ip6_vti0', 'ip6gre0'): escaped(name)",
  ),
  native(
    'network',
    'network.metadata',
    'have a route to the metadata address',
    "s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\ntry:\n  s.connect(('169.254.169.254', 80))\n  escaped('routed from ' + s.getsockname()[0])\nexcept OSError as error: print('refused', error)",
  ),
  native(
    'network',
    'network.unix',
    "connect to the host's Unix socket",
    "s = socket.socket(socket.AF_UNIX)\ntry:\n  s.connect('{unix}')\n  escaped('connected')\nexcept OSError as error: print('refused', error)",
  ),
  native(
    'network',
    'network.abstract',
    "connect to the host's abstract socket",
    "s = socket.socket(socket.AF_UNIX)\ntry:\n  s.connect('\\0{abstract}')\n  escaped('connected')\nexcept OSError as error: print('refused', error)",
  ),
  native(
    'network',
    'network.docker-socket',
    'reach the container engine',
    "for path in ('/var/run/docker.sock', '/run/docker.sock', '/run/containerd/containerd.sock', '/run/podman/podman.sock', '{docker}'):\n  s = socket.socket(socket.AF_UNIX)\n  try:\n    s.connect(path)\n    escaped(path)\n  except OSError as error: print('refused', path, error)",
  ),
  native(
    'network',
    'network.raw',
    'open raw and packet sockets',
    "for family, kind, protocol in ((socket.AF_INET, socket.SOCK_RAW, 1), (socket.AF_PACKET, socket.SOCK_RAW, 768), (socket.AF_INET6, socket.SOCK_RAW, 58)):\n  try:\n    socket.socket(family, kind, protocol)\n    escaped(f'raw {family}')\n  except OSError as error: print('refused', error)",
  ),
  native(
    'network',
    'network.vsock',
    'speak to the hypervisor',
    "try:\n  s = socket.socket(40, socket.SOCK_STREAM)\n  escaped('vsock')\nexcept OSError as error: print('refused', error)",
  ),
];

export const nativeProbes: readonly Probe[] = [...fileProbes, ...procProbes, ...privilegeProbes, ...networkProbes];
