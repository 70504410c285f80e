/** Traps for whoever collects the results, and ways to another unit's data. */

import type { Probe } from '../probe.setup.ts';
import { native } from '../probe.setup.ts';

const memoryFiles = 'the file system in memory has no such thing';

function anyPython(id: string, what: string, code: string, expected: Probe['expected'] = ['exit']): Probe {
  const without = {
    r: 'the bytes of an archive are the same whoever writes it',
    wasi: 'the bytes of an archive are the same whoever writes it',
  };
  return { id, group: 'outputs', what, code: { cpython: code, pyodide: code }, without, expected };
}

/** The same where the interpreter in WebAssembly cannot reach outside even when it is open. */
function nativeOutput(id: string, what: string, code: string): Probe {
  const probe = native('outputs', id, what, code);
  return { ...probe, without: { pyodide: memoryFiles, r: memoryFiles, wasi: memoryFiles } };
}

const outputProbes: readonly Probe[] = [
  nativeOutput('outputs.symlink', 'a link to a file of the host as a result', "os.symlink('{file}', 'results/link')"),
  nativeOutput(
    'outputs.symlink-folder',
    'a link to a folder of the host as a result',
    "os.symlink('{folder}', 'results/folder')",
  ),
  nativeOutput(
    'outputs.proc-link',
    'a link into /proc as a result',
    "os.symlink('/proc/self/root{file}', 'results/link')",
  ),
  nativeOutput(
    'outputs.hard-link',
    'a second name for a file of the host as a result',
    "try: os.link('{file}', 'results/hard')\nexcept OSError as error: print('refused', error)",
  ),
  nativeOutput(
    'outputs.replaced-folder',
    'the folder of results itself becomes a link',
    "os.rename('results', 'kept') if os.access('.', os.W_OK) else None\ntry: os.symlink('{folder}', 'results')\nexcept OSError as error: print('refused', error)",
  ),
  nativeOutput('outputs.fifo', 'a pipe as a result, to hang who reads it', "os.mkfifo('results/pipe')"),
  nativeOutput(
    'outputs.swap',
    'a file that a daemon keeps swapping for a link',
    "open('results/swap', 'w').write('x')\nif os.fork() == 0:\n  os.setsid()\n  end = time.time() + 4\n  while time.time() < end:\n    try:\n      os.symlink('{file}', 'results/other')\n      os.rename('results/other', 'results/swap')\n    except OSError: pass\n  os._exit(0)\ntime.sleep(0.3)",
  ),
  {
    id: 'outputs.sparse',
    group: 'outputs',
    what: 'a file whose size says more than it takes',
    code: {
      cpython:
        "try:\n  with open('results/sparse', 'wb') as file: file.truncate(1 << 40)\nexcept OSError as error: print('refused', error)",
      pyodide:
        "try:\n  with open('results/sparse', 'wb') as file: file.truncate(1 << 29)\n  escaped('512 MiB')\nexcept OSError as error: print('refused', error)",
    },
    without: { r: 'R’s connections cannot give a file a size' },
    expected: ['exit', 'killed: outputs', 'killed: scratch', 'killed: policy', 'killed: memory'],
  },
  anyPython(
    'outputs.zip-bomb',
    'an archive of 2 GiB in a few kilobytes',
    "import zipfile, zlib\nwith zipfile.ZipFile('results/bomb.zip', 'w', zipfile.ZIP_DEFLATED) as file:\n  with file.open('zeros', 'w', force_zip64=True) as entry:\n    for _ in range(32): entry.write(b'\\0' * (1 << 22))\n  for info in file.infolist(): info.file_size = 2 << 30",
  ),
  anyPython(
    'outputs.names',
    'names that repaint a terminal or leave a folder',
    "for name in ('x\\nESC' + 'APED by name', '..%2f..%2fx', '\\x1b[2Jx', 'CON', 'a\\\\..\\\\b'):\n  try: open('results/' + name, 'w').write('x')\n  except OSError as error: print('refused', error)",
  ),
  anyPython(
    'outputs.many',
    'more files than anybody wants',
    "try:\n  for index in range(1500): open(f'results/{index}', 'w').write('x')\nexcept OSError as error: print('stopped', error)",
    ['exit', 'killed: outputs', 'killed: scratch'],
  ),
  anyPython(
    'outputs.deep',
    'folders in folders in folders',
    "here = os.getcwd()\nos.chdir('results')\ntry:\n  for _ in range(300):\n    os.mkdir('d')\n    os.chdir('d')\n  open('x', 'w').write('x')\nexcept OSError as error: print('stopped', error)\nos.chdir(here)",
  ),
];

const seek = `
def seek():
  for top in ('/proc', '/tmp', '/job', '/dev/shm', '/run', '/var/tmp', '/home', '/root'):
    for folder, folders, names in os.walk(top):
      if folder.startswith('/proc/') and folder.count('/') > 2: folders.clear()
      for name in names:
        if top == '/proc' and name not in ('cmdline', 'environ'): continue
        path = os.path.join(folder, name)
        try:
          if os.path.isfile(path) and os.stat(path).st_size < 100_000 and '{needle}' in open(path, errors='replace').read(): return print(path, open(path).read(2000))
        except (OSError, ValueError): pass
seek()
`;

const jobProbes: readonly Probe[] = [
  {
    id: 'jobs.neighbour',
    group: 'other jobs',
    what: "find another unit's files, arguments and environment while it runs",
    code: { cpython: seek, pyodide: seek },
    neighbour: true,
  },
  native(
    'other jobs',
    'jobs.processes',
    'see more processes than its own',
    "for name in os.listdir('/proc'):\n  if name.isdigit():\n    try: text = open(f'/proc/{name}/cmdline').read()\n    except OSError: continue\n    if '{needle}' in text or 'dockerd' in text or 'systemd' in text: escaped(text[:80])",
  ),
  native(
    'other jobs',
    'jobs.memory',
    "read the memory of the sandbox's first process",
    "for pid in (1, os.getppid()):\n  for name in ('mem', 'root', 'cwd'):\n    path = f'/proc/{pid}/{name}'\n    try: data = open(path, 'rb').close() if name == 'mem' else os.listdir(path + '{folder}')\n    except OSError as error: print('refused', error)\n    else: escaped(path) if name != 'mem' or pid != 1 or os.getuid() == 0 else print('its own')",
  ),
];

export const collectionProbes: readonly Probe[] = [...outputProbes, ...jobProbes];
