/** What a job may not learn of the machine that runs it, and what an interpreter's host language must not give away. */

import type { Probe } from '../probe.setup.ts';
import { native } from '../probe.setup.ts';

const leakProbes: readonly Probe[] = [
  {
    id: 'leaks.environment',
    group: 'leaks',
    what: "read the host's environment",
    code: {
      cpython: 'for name, value in os.environ.items(): print(name, value)',
      pyodide:
        'for name, value in os.environ.items(): print(name, value)\nimport js\nprint(js.process.env.ASSAY_CANARY)',
    },
    expected: ['exit', 'killed: policy'],
  },
  native(
    'leaks',
    'leaks.hostname',
    "learn the host's name",
    "for name in (socket.gethostname(), os.uname().nodename, open('/proc/sys/kernel/hostname').read().strip()):\n  if name == '{hostname}': escaped(name)",
  ),
  native(
    'leaks',
    'leaks.machine-id',
    "learn the host's identity",
    "for path in ('/etc/machine-id', '/var/lib/dbus/machine-id', '/proc/sys/kernel/random/boot_id', '/sys/class/dmi/id/product_uuid'):\n  try: text = open(path).read().strip()\n  except OSError as error: print('refused', error)\n  else:\n    if text in '{ids}'.split(','): escaped(path)",
  ),
  native(
    'leaks',
    'leaks.mounts',
    'learn where the host keeps its files',
    "text = open('/proc/self/mountinfo').read() + open('/proc/self/cgroup').read()\nif '{state}' in text: escaped('the folder of the sandbox')",
  ),
  native(
    'leaks',
    'leaks.uptime',
    "learn the host's clock since its start",
    "if abs(float(open('/proc/uptime').read().split()[0]) - (time.time() - {booted})) < 60: escaped('uptime')",
  ),
];

/** A way into JavaScript that needs no import hook: through the bridge's own C module. */
const bridge = 'import _pyodide_core as core\nbox = core.to_js([1])\nenter = box.constructor.constructor\n';
const container = 'a process in a container has no interpreter around it';
const otherWasm = 'see the probes of its own language';

function javascript(id: string, what: string, code: string): Probe {
  return {
    id: `js.${id}`,
    group: 'host language',
    what,
    code: { pyodide: code },
    without: { cpython: container, r: otherWasm, wasi: otherWasm },
    expected: ['exit', 'killed: policy'],
  };
}

const bridgeProbes: readonly Probe[] = [
  javascript('import', 'import js', 'import js\nescaped(js.process.pid)'),
  javascript('pyodide', 'import pyodide_js', 'import pyodide_js\nescaped(pyodide_js.version)'),
  javascript('run', 'run_js', "from pyodide.code import run_js\nescaped(run_js('process.version'))"),
  javascript('core', "the bridge's C module", 'import _pyodide_core as core\nescaped(core.to_js([1]).length)'),
  javascript('constructor', 'a constructor of JavaScript', `${bridge}escaped(enter('return process.version')())`),
  javascript('shell', 'a shell of the host', "if os.system('test -e {file}') == 0: escaped('shell')"),
  javascript(
    'file',
    'a file of the host',
    "import pyodide_js\ntry: pyodide_js.mountNodeFS('/host', '{folder}')\nexcept Exception as error: print(error)\nprint(open('/host/canary').read())",
  ),
  javascript(
    'connection',
    'a connection out',
    "import js\nnet = js.process.getBuiltinModule('net')\nnet.connect({tcp}, '127.0.0.1')\nescaped('connecting')",
  ),
  javascript(
    'unix',
    "the host's container engine",
    "import js\nnet = js.process.getBuiltinModule('net')\nnet.connect('{docker}')\nescaped('connecting')",
  ),
  javascript('socket', 'a socket', "import socket\nsocket.socket()\nescaped('socket')"),
  javascript(
    'listen',
    'a port that answers others',
    "import js\njs.process.getBuiltinModule('net').createServer().listen(0).unref()\nescaped('listening')",
  ),
  javascript('signal', "a signal to the sandbox's parent", 'import js\nescaped(js.process.kill(js.process.ppid, 0))'),
  javascript(
    'ctypes',
    'a foreign function',
    'import ctypes\nctypes.pythonapi.Py_GetVersion.restype = ctypes.c_char_p\nescaped(ctypes.pythonapi.Py_GetVersion())',
  ),
  javascript(
    'symbol',
    'a symbol of the interpreter',
    "import _ctypes\nescaped(_ctypes.dlsym(_ctypes.dlopen(None, 0), 'Py_GetVersion'))",
  ),
  javascript(
    'eval-symbol',
    "the interpreter's own eval of JavaScript",
    "import _ctypes, ctypes\naddress = _ctypes.dlsym(_ctypes.dlopen(None, 0), 'emscripten_run_script_int')\nescaped(ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_char_p)(address)(b'process.pid'))",
  ),
  javascript(
    'async',
    'JavaScript through an async wait',
    'from pyodide.ffi import run_sync\nfrom js import Promise\nescaped(run_sync(Promise.resolve(7)))',
  ),
  javascript('quota', 'a way round the file quota', 'import pyodide_js\nescaped(pyodide_js.FS.filesystems.MEMFS)'),
  javascript(
    'prototype',
    "the host's prototypes",
    "import js\njs.Object.prototype.assayProbe = 'polluted'\nescaped(js.Object.new().assayProbe)\ndel js.Object.prototype.assayProbe",
  ),
  javascript(
    'memory',
    "the interpreter's memory from outside",
    'import pyodide_js\nescaped(pyodide_js._module.HEAPU8.length)',
  ),
  javascript(
    'module',
    'a WebAssembly module of its own',
    "import js\nfrom pyodide.ffi import to_js\nescaped(js.WebAssembly.Module.new(to_js(b'\\0asm\\x01\\0\\0\\0')))",
  ),
  javascript(
    'worker',
    'a thread of the host',
    "import js\nescaped(js.process.getBuiltinModule('worker_threads').Worker)",
  ),
  javascript('buffer', "the pool that the host's buffers share", 'import js\nescaped(js.Buffer.poolSize)'),
  // Last: in the open interpreter, where all run in one process, it takes the bridge away from the others.
  javascript(
    'restored',
    'the bridge after its modules are restored',
    "import importlib\nfor n in list(sys.modules):\n  if 'pyodide' in n or n == 'js': del sys.modules[n]\nc = importlib.import_module('_pyodide_core')\nescaped(c.to_js({'a': 1}).constructor)",
  ),
];

export const interpreterProbes: readonly Probe[] = [...leakProbes, ...bridgeProbes];
