import { readFile, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runPython } from '@assay/core/conformance';
import { driverKit, inOpenInterpreter, type DriverKit } from '../wasm/driver.setup.ts';

/**
 * Each attack prints ESCAPED where it gets through. It runs in the sandbox and, as the positive control, in the same
 * interpreter without walls: an attack that fails there too proves nothing and fails the test. All are harmless when
 * they succeed.
 */
interface Attack {
  readonly name: string;
  readonly code: string;
}

let kit: DriverKit;
let server: Server;
let connections = 0;
let attacks: Attack[];
let controls: string[];

const secret = 'the-secret-of-this-machine';
const say = (expression: string) => `print('ESCAPED', ${expression})`;
/** A way into JavaScript that needs no import hook: through the bridge's own C module. */
const bridge = 'import _pyodide_core as core\nbox = core.to_js([1])\nenter = box.constructor.constructor\n';

function attackList(file: string, port: number): Attack[] {
  return [
    { name: 'import js', code: `import js\n${say('js.process.pid')}` },
    { name: 'import pyodide_js', code: `import pyodide_js\n${say('pyodide_js.version')}` },
    { name: 'run_js', code: `from pyodide.code import run_js\n${say("run_js('process.version')")}` },
    { name: 'the C module of the bridge', code: `import _pyodide_core as core\n${say('core.to_js([1]).length')}` },
    { name: 'a constructor of JavaScript', code: `${bridge}${say("enter('return process.version')()")}` },
    {
      name: 'the bridge after its modules are restored',
      code: `import importlib, sys\nfor n in list(sys.modules):\n  if 'pyodide' in n or n == 'js': del sys.modules[n]\nc = importlib.import_module('_pyodide_core')\n${say("c.to_js({'a': 1}).constructor")}`,
    },
    { name: 'a shell', code: `import os\nif os.system('test -e ${file}') == 0: ${say("'shell'")}` },
    {
      name: 'a host file',
      code: `import pyodide_js\npyodide_js.mountNodeFS('/host', '${join(file, '..')}')\n${say("open('/host/canary').read()")}`,
    },
    { name: 'a secret of the environment', code: `import js\n${say('js.process.env.ASSAY_CANARY')}` },
    {
      name: 'a connection out',
      code: `import js\nnet = js.process.getBuiltinModule('net')\nnet.connect(${port}, '127.0.0.1')\n${say("'connecting'")}`,
    },
    { name: 'a socket', code: `import socket\nsocket.socket()\n${say("'socket'")}` },
    {
      name: 'a foreign function',
      code: `import ctypes\nctypes.pythonapi.Py_GetVersion.restype = ctypes.c_char_p\n${say('ctypes.pythonapi.Py_GetVersion()')}`,
    },
    {
      name: 'a symbol of the interpreter',
      code: `import _ctypes\n${say("_ctypes.dlsym(_ctypes.dlopen(None, 0), 'Py_GetVersion')")}`,
    },
    {
      name: 'JavaScript through an async wait',
      code: `from pyodide.ffi import run_sync\nfrom js import Promise\n${say('run_sync(Promise.resolve(7))')}`,
    },
    { name: 'a way round the file quota', code: `import pyodide_js\n${say('pyodide_js.FS.filesystems.MEMFS')}` },
  ];
}

beforeAll(async () => {
  kit = await driverKit();
  const file = join(kit.folder, 'canary');
  await writeFile(file, secret);
  server = createServer((socket) => {
    connections += 1;
    socket.destroy();
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  attacks = attackList(file, typeof address === 'object' && address ? address.port : 0);
  controls = await inOpenInterpreter(
    attacks.map((attack) => attack.code),
    { PATH: '/usr/bin:/bin', ASSAY_CANARY: secret },
  );
});
afterAll(async () => {
  server.close();
  await kit.close();
});

describe('attacks on the wasm driver', () => {
  it('are real: without walls every one gets through', () => {
    const failed = attacks.filter((_, index) => !controls[index]?.includes('ESCAPED'));
    expect(failed.map(({ name }) => name)).toEqual([]);
    expect(controls.join()).toContain(secret);
    expect(connections).toBe(1);
  });

  const names = attackList('', 0).map(({ name }, index) => [name, index] as const);
  it.each(names)('do not get through: %s', async (_name, index) => {
    process.env['ASSAY_CANARY'] = secret;
    const { outcome, stdout, stderr } = await runPython(kit, attacks[index]!.code);
    expect(stdout).not.toContain('ESCAPED');
    expect(stdout + stderr).not.toContain(secret);
    expect(outcome.ending).not.toMatchObject({ kind: 'infra' });
    expect(connections).toBe(1);
  });

  it('are reported as a breach of policy when they reach for what is sealed', async () => {
    const { outcome, stderr } = await runPython(kit, "import _pyodide_core as c\nc.to_js([1]).length\nprint('on')");
    expect(outcome.ending).toEqual({ kind: 'killed', why: 'policy' });
    expect(stderr).toContain('the sandbox ended the job for calling');
  });

  it('cannot forge frames: every descriptor that the job sees is in its own memory', async () => {
    const code = [
      'import os, struct',
      "frame = bytes([4]) + struct.pack('>I', 5) + bytes([0, 0, 0, 0, 9])",
      'for fd in range(0, 64):',
      '  try: os.write(fd, frame)',
      '  except OSError: pass',
      'os.write(1, frame * 3)',
    ].join('\n');
    const { outcome } = await runPython(kit, code);
    expect(outcome.ending).toEqual({ kind: 'exit', code: 0 });
  });

  it('cannot poison objects by names', async () => {
    const code = [
      'import os',
      "for name in ('__proto__', 'constructor', 'toString', 'hasOwnProperty'):",
      "  os.makedirs(f'results/{name}/x', exist_ok=True)",
      "  open(f'results/{name}/f', 'w').write(name)",
      "open('results/ok', 'w').write('ok')",
    ].join('\n');
    const { outcome } = await runPython(kit, code);
    const paths = ['__proto__/f', 'constructor/f', 'hasOwnProperty/f', 'ok', 'toString/f'];
    expect(outcome.outputs.map(({ path }) => path)).toEqual(paths);
  });

  it('cannot see another unit that runs at the same time', async () => {
    const hide = runPython(
      kit,
      `open('/tmp/mine', 'w').write('${secret}')\nimport time\nend = time.time() + 1.5\nwhile time.time() < end: pass`,
    );
    const seek = runPython(
      kit,
      "import os\nfor root, _, names in os.walk('/'):\n  for n in names:\n    try: print(open(os.path.join(root, n), errors='replace').read(200) if root in ('/tmp', '/job', '/assay') else '')\n    except OSError: pass",
      { limits: { logBytes: 1024 * 1024 } },
    );
    const [hidden, sought] = await Promise.all([hide, seek]);
    expect(hidden.outcome.ending).toEqual({ kind: 'exit', code: 0 });
    expect(sought.outcome.ending).toEqual({ kind: 'exit', code: 0 });
    expect(sought.stdout).not.toContain(secret);
  });

  it('leave no process behind', async () => {
    const before = await childrenOf(process.pid);
    await Promise.all(
      ['while True: pass', 'import os; os._exit(1)', 'x = [0]\nwhile True: x += x'].map((code) =>
        runPython(kit, code, { limits: { wallMs: 800 } }),
      ),
    );
    expect(await childrenOf(process.pid)).toEqual(before);
  });
});

async function childrenOf(pid: number): Promise<string> {
  return readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '');
}
