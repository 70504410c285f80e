/** The attacks in R: webR as it comes reaches its JavaScript host by functions of its package and by symbols. */

import type { Expected, Probe } from '../probe.setup.ts';

/** `escaped`, as in the other languages. */
export const rPrelude = `escaped <- function(what) cat(paste0('ESC', 'APED'), as.character(what), '\\n')\n`;

const container = 'a process in a container has no interpreter around it';
const otherWasm = 'see the probes of its own language';
const sealed: readonly Expected[] = ['exit', 'killed: policy'];

function javascript(id: string, what: string, code: string): Probe {
  return {
    id: `webr.${id}`,
    group: 'host language',
    what,
    code: { r: code },
    without: { cpython: container, pyodide: otherWasm, wasi: otherWasm },
    expected: sealed,
  };
}

const quoted = (script: string) => `webr::eval_js("${script}")`;

export const rProbes: readonly Probe[] = [
  javascript('eval-js', 'eval_js', `escaped(${quoted('process.pid')})`),
  javascript('text', 'eval_js that answers text', `escaped(${quoted('process.version')})`),
  javascript(
    'mount',
    'a folder of the host',
    "dir.create('/host')\nwebr::mount('/host', '{folder}', type = 'NODEFS')\ncat(readLines('/host/canary', warn = FALSE))",
  ),
  javascript('secret', "a secret of the host's environment", `cat(${quoted('process.env.ASSAY_CANARY')})`),
  javascript(
    'connection',
    'a connection out',
    `x <- ${quoted("process.getBuiltinModule('net').connect({tcp}, '127.0.0.1'), 1")}\nescaped('connecting')`,
  ),
  javascript(
    'unix',
    "the host's container engine",
    `x <- ${quoted("process.getBuiltinModule('net').connect('{docker}'), 1")}\nescaped('connecting')`,
  ),
  javascript(
    'shell',
    'a program of the host',
    `escaped(${quoted("process.getBuiltinModule('child_process').execSync('echo yes').toString()")})`,
  ),
  javascript('signal', "a signal to the sandbox's parent", `escaped(${quoted('process.kill(process.ppid, 0), 1')})`),
  javascript(
    'prototype',
    "the host's prototypes",
    `escaped(${quoted('Object.prototype.assayProbe = 7, ({}).assayProbe')})`,
  ),
  javascript(
    'module',
    'a WebAssembly module of its own',
    `escaped(${quoted('new WebAssembly.Module(new Uint8Array([0,97,115,109,1,0,0,0])) && 1')})`,
  ),
  javascript(
    'symbol',
    "the interpreter's own eval of JavaScript, by its symbol",
    "for (name in c('ffi_eval_js', 'emscripten_run_script_int', 'emscripten_run_script_string')) try({\n  found <- is.loaded(name)\n  if (found) escaped(name)\n})\nfor (dll in getLoadedDLLs()) try({ for (s in getDLLRegisteredRoutines(dll)$.Call) if (grepl('eval_js', s$name)) escaped(.Call(s, 'process.pid', 1L)) })\nescaped(.Call(webr:::ffi_eval_js, 'process.pid', 1L))",
  ),
];

/** The same attack as in the other languages, in R. */
export const inR: Readonly<Record<string, string>> = {
  'memory.heap': "blocks <- list()\nfor (i in 1:40) blocks[[i]] <- as.numeric(seq_len(2^21)) + i\nescaped('640 MiB')",
  'disk.scratch':
    "path <- tempfile()\ncon <- file(path, 'wb')\nblock <- raw(2^20)\nfor (i in 1:256) writeBin(block, con)\nclose(con)\nif (file.size(path) >= 2^28) escaped('256 MiB of scratch')",
  'disk.results':
    "block <- raw(2^20)\nfor (i in 1:256) try(writeBin(block, file.path('results', i)), silent = TRUE)\nif (sum(file.size(list.files('results', full.names = TRUE))) >= 2^28) escaped('256 MiB of results')\nunlink('results/*')",
  'disk.inodes':
    "folder <- tempfile()\ndir.create(folder)\nif (all(file.create(file.path(folder, 1:30000)))) escaped('30000 files')\nunlink(folder, recursive = TRUE)",
  'logs.stdout': "line <- strrep('x', 65535)\nfor (i in 1:64) cat(line, '\\n')\nescaped('4 MiB of log')",
  'logs.stderr':
    "line <- strrep('x', 65535)\nfor (i in 1:64) cat(line, '\\n', file = stderr())\nescaped('4 MiB of log')",
  'outputs.names':
    "for (name in c(paste0('x\\n', 'ESC', 'APED by name'), '..%2f..%2fx', '\\033[2Jx', 'CON')) try(writeLines('x', file.path('results', name)))",
  'outputs.many': "x <- file.create(file.path('results', 1:1500))",
  'outputs.deep':
    "path <- 'results'\nfor (i in 1:300) path <- file.path(path, 'd')\nif (dir.create(path, recursive = TRUE)) writeLines('x', file.path(path, 'x'))",
  'jobs.neighbour':
    "for (path in list.files(c('/tmp', '/tmp/neighbour', '/job', '/home'), full.names = TRUE)) try({\n  text <- readLines(path, 1, warn = FALSE)\n  if (grepl('{needle}', text, fixed = TRUE)) cat(text, '\\n')\n}, silent = TRUE)",
  'leaks.environment': "print(Sys.getenv())\ntry(cat(webr::eval_js('process.env.ASSAY_CANARY')))",
};
