/** Attacks on the machine's resources: each stops at a size that does no harm where nothing else stops it. */

import { native, type Expected, type Group, type Probe } from '../probe.setup.ts';

/** How much more than its limit a probe takes; the suite's units have 256 MiB of memory and 16 MiB of scratch space. */
const memoryMiB = 640;

function python(
  group: Group,
  id: string,
  what: string,
  code: string,
  expected: readonly Expected[] = ['exit'],
  others: Partial<Pick<Probe['code'], 'r' | 'wasi'>> = {},
): Probe {
  return { id, group, what, code: { cpython: code, pyodide: code, ...others }, expected };
}

const killedForMemory: readonly Expected[] = ['exit', 'killed: memory'];

export const limitProbes: readonly Probe[] = [
  native(
    'processes',
    'processes.fork-bomb',
    'fork until nothing is left',
    "children = []\ntry:\n  for _ in range(1500):\n    child = os.fork()\n    if child == 0:\n      time.sleep(30)\n      os._exit(0)\n    children.append(child)\n  escaped(f'{len(children)} processes')\nexcept OSError as error: print('stopped at', len(children), error)\nfor child in children: os.kill(child, 9)",
    ['exit', 'killed: memory', 'killed: policy', 'killed: wall'],
  ),
  native(
    'processes',
    'processes.thread-bomb',
    'start threads without end',
    "def sleep(): time.sleep(20)\nthreading.stack_size(65536)\ncount = 0\ntry:\n  for _ in range(3000):\n    threading.Thread(target=sleep, daemon=True).start()\n    count += 1\n  escaped(f'{count} threads')\nexcept (RuntimeError, OSError) as error: print('stopped at', count, error)\nos._exit(0)",
    ['exit', 'killed: memory', 'killed: policy', 'killed: wall'],
  ),
  native(
    'processes',
    'processes.daemon',
    'leave a process behind in a session of its own',
    "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(25)', '{marker}'], start_new_session=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)\nos._exit(0)",
  ),
  native(
    'processes',
    'processes.signal-host',
    'reach a process of the host',
    "try:\n  os.kill({pid}, 0)\n  escaped('it is there')\nexcept OSError as error: print('refused', error)",
  ),
  native(
    'processes',
    'processes.descriptors',
    'open descriptors without end',
    "files = []\ntry:\n  while len(files) < 5000: files.append(os.open('/dev/null', os.O_RDONLY))\n  escaped('5000 descriptors')\nexcept OSError as error: print('stopped at', len(files), error)",
  ),
  python(
    'memory and disk',
    'memory.heap',
    'take more memory than the unit has',
    `blocks = []\nfor _ in range(${memoryMiB}): blocks.append(bytearray(b'x') * (1 << 20))\nescaped(f'{len(blocks)} MiB')`,
    killedForMemory,
  ),
  native(
    'memory and disk',
    'memory.child',
    'take the memory in a child',
    `child = os.fork()\nif child == 0:\n  blocks = [bytearray(b'x') * (1 << 20) for _ in range(${memoryMiB})]\n  escaped('in a child')\n  os._exit(0)\nprint(os.waitpid(child, 0))`,
    killedForMemory,
  ),
  native(
    'memory and disk',
    'memory.shared',
    'take the memory in a file without a name',
    `fd = call('memfd_create', b'probe', 0)\ntry:\n  for _ in range(${memoryMiB}): os.write(fd, b'x' * (1 << 20))\n  escaped('memfd')\nexcept OSError as error: print('stopped', error)`,
    killedForMemory,
  ),
  native(
    'memory and disk',
    'memory.locked',
    'lock memory',
    "import mmap\narea = mmap.mmap(-1, 1 << 26)\naddress = ctypes.addressof(ctypes.c_char.from_buffer(area))\nctypes.set_errno(0)\nif libc.mlock(ctypes.c_void_p(address), ctypes.c_size_t(1 << 26)) == 0: escaped('64 MiB locked')\nelse: print('refused', os.strerror(ctypes.get_errno()))",
    killedForMemory,
  ),
  python(
    'memory and disk',
    'disk.scratch',
    'fill the disk',
    "import tempfile\nwritten = 0\ntry:\n  with open(os.path.join(tempfile.gettempdir(), 'fill'), 'wb') as file:\n    while written < 1 << 28:\n      written += os.write(file.fileno(), b'x' * (1 << 20))\n  escaped('256 MiB of scratch')\nexcept OSError as error: print('stopped at', written, error)",
    ['exit', 'killed: memory', 'killed: scratch'],
  ),
  python(
    'memory and disk',
    'disk.results',
    'fill the folder of results',
    "written = 0\ntry:\n  for index in range(256):\n    with open(f'results/{index}', 'wb') as file: written += file.write(b'x' * (1 << 20))\n  escaped('256 MiB of results')\nexcept OSError as error: print('stopped at', written, error)",
    ['exit', 'killed: memory', 'killed: scratch', 'killed: outputs'],
  ),
  python(
    'memory and disk',
    'disk.inodes',
    'make files without end',
    "import tempfile\ncount = 0\ntry:\n  while count < 30_000:\n    open(os.path.join(tempfile.gettempdir(), f'f{count}'), 'w').close()\n    count += 1\n  escaped('30000 files')\nexcept OSError as error: print('stopped at', count, error)",
    ['exit', 'killed: memory', 'killed: scratch', 'killed: wall'],
  ),
  python(
    'logs',
    'logs.stdout',
    'print without end',
    "for _ in range(64): print('x' * 65535)\nescaped('4 MiB of log')",
    ['killed: log'],
  ),
  python(
    'logs',
    'logs.stderr',
    'complain without end',
    "for _ in range(64): print('x' * 65535, file=sys.stderr)\nescaped('4 MiB of log')",
    ['killed: log'],
  ),
];
