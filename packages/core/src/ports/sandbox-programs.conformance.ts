/** The programs of the sandbox's conformance suite: what each test asks for, in each language that a driver may run. */

/** What a test asks a program to do. Where nothing else is said it ends with 0. */
export type Task =
  /** Write data/in.txt, the arguments and ASSAY_UNIT_ORDINAL to results/deep/out.txt; say `said` and, on stderr, `warned`. */
  | 'greet'
  | 'nothing'
  /** Run the bundle's other file, which says `side`. */
  | 'use side'
  | 'compute'
  /** Open its own file for writing; ends with 1. */
  | 'change input'
  /** Write random numbers and the time to results/out.txt. */
  | 'draw'
  /** Say the second it is, wait for two, say whether they passed. */
  | 'wait'
  | 'spin'
  | 'sleep'
  | 'flood log'
  /** 21 empty files. */
  | 'many outputs'
  /** One file of 4 MiB and a byte. */
  | 'large output'
  /** 20 files of 4 MiB together. */
  | 'exact outputs'
  | 'fill memory'
  | 'fill bytes'
  | 'fill files'
  /** Write and remove a file of a million bytes, 40 times. */
  | 'reuse'
  /** Files with names that may not leave the sandbox, links, and a file twelve folders down. */
  | 'odd names'
  /** results/Twin and results/twin. */
  | 'twins'
  /** A link where the output folder was. */
  | 'replace folder'
  /** The letter x in results/x. */
  | 'write x';

export interface SandboxPrograms {
  readonly language: string;
  readonly entryPoint: string;
  /** The unit's files for a program's text. */
  files(code: string): Readonly<Record<string, string | Uint8Array>>;
  readonly code: Readonly<Record<Task, string>>;
  /** The bundle's other file of the task `use side`. */
  readonly side: Readonly<Record<string, string>>;
  /** Programs, the exit code of each, and what it says on stderr. */
  readonly exits: readonly (readonly [code: string, exitCode: number, message: string])[];
  /** Tasks that the language cannot express, with the reason. */
  readonly cannot: Readonly<Partial<Record<Task, string>>>;
}

const large = 4 * 1024 * 1024;

const python: Readonly<Record<Task, string>> = {
  greet: [
    'import os, sys',
    "text = open('data/in.txt').read() + ' ' + ' '.join(sys.argv[1:]) + ' ' + os.environ['ASSAY_UNIT_ORDINAL']",
    "os.makedirs('results/deep', exist_ok=True)",
    "open('results/deep/out.txt', 'w').write(text)",
    "print('said'); print('warned', file=sys.stderr)",
  ].join('\n'),
  nothing: 'pass',
  'use side': 'import side',
  compute: 'total = sum(range(3_000_000))',
  'change input': "open('main.py', 'w')",
  draw: [
    'import os, random, time, uuid, datetime',
    "text = repr([random.random(), os.urandom(8), str(uuid.uuid4()), time.time(), hash('x'), {'a', 'b', 'c'}])",
    "open('results/out.txt', 'w').write(text)",
  ].join('\n'),
  wait: 'import time; t = time.time(); time.sleep(2); print(int(t), time.time() - t >= 2)',
  spin: 'while True: pass',
  sleep: 'import time; time.sleep(1e9)',
  'flood log': "while True: print('x' * 1000)",
  'many outputs': "for i in range(21): open(f'results/{i}', 'w').close()",
  'large output': `open('results/big', 'wb').write(b'x' * ${large + 1})`,
  'exact outputs': `open('results/big', 'wb').write(b'x' * ${large - 19})\nfor i in range(19): open(f'results/{i}', 'w').write('y')`,
  'fill memory': 'kept = []\nwhile True: kept.append(bytearray(16 * 1024 * 1024))',
  'fill bytes': "with open('/tmp/big', 'wb') as f:\n  while True: f.write(b'x' * 65536)",
  'fill files': "i = 0\nwhile True:\n  open(f'/tmp/{i}', 'w').close(); i += 1",
  reuse:
    "import os\nfor i in range(40):\n  with open('/tmp/t', 'wb') as f: f.write(b'x' * 1_000_000)\n  os.unlink('/tmp/t')",
  'odd names': [
    'import os',
    "os.makedirs('results/d')",
    "for name in ('plain.txt', 'd/x', '..%2f..', 'a\\nb', 'C:\\\\x', 'CON', '.hidden', 'end.', '-dash'):",
    "  open('results/' + name, 'w').write(name)",
    "os.symlink('/etc/passwd', 'results/link')",
    "os.symlink('/', 'results/rootlink')",
    "os.symlink('plain.txt', 'results/inner')",
    "os.makedirs('results/' + '/'.join('abcdefghijkl'))",
    "open('results/' + '/'.join('abcdefghijkl') + '/deep', 'w').write('deep')",
  ].join('\n'),
  twins: "open('results/Twin', 'w').write('1'); open('results/twin', 'w').write('2')",
  'replace folder': "import os; os.rmdir('results'); os.symlink('/lib', 'results')",
  'write x': "open('results/x', 'w').write('x')",
};

export const pythonPrograms: SandboxPrograms = {
  language: 'Python',
  entryPoint: 'main.py',
  files: (code) => ({ 'main.py': code }),
  code: python,
  side: { 'side.py': "print('side')" },
  exits: [
    ['import sys; sys.exit(7)', 7, ''],
    ['raise SystemExit', 0, ''],
    ["raise SystemExit('why not')", 1, 'why not'],
    ['def f():\n  raise ValueError("odd")\nf()', 1, 'ValueError: odd'],
    ['import os; os._exit(9)', 9, ''],
    ['def broken(:', 1, 'SyntaxError'],
  ],
  cannot: {},
};

const r: Readonly<Record<Task, string>> = {
  greet: [
    "text <- paste(c(readLines('data/in.txt', warn = FALSE), commandArgs(TRUE), Sys.getenv('ASSAY_UNIT_ORDINAL')), collapse = ' ')",
    "dir.create('results/deep', recursive = TRUE)",
    "cat(text, file = 'results/deep/out.txt')",
    "cat('said\\n'); message('warned')",
  ].join('\n'),
  nothing: 'invisible()',
  'use side': "source('side.R')",
  compute: 'total <- 0\nfor (i in 1:1e6) total <- total + sqrt(i)',
  'change input': "con <- file('main.R', 'w')",
  draw: "writeLines(format(c(runif(2), rnorm(2), as.numeric(Sys.time())), digits = 17), 'results/out.txt')",
  wait: "t <- Sys.time(); Sys.sleep(2); cat(as.integer(t), as.numeric(Sys.time() - t, units = 'secs') >= 2, sep = ' ', fill = TRUE)",
  spin: 'repeat {}',
  sleep: 'Sys.sleep(1e9)',
  'flood log': "repeat cat(strrep('x', 1000), '\\n')",
  'many outputs': "for (i in 0:20) file.create(paste0('results/', i))",
  'large output': `writeBin(raw(${large + 1}), 'results/big')`,
  'exact outputs': `writeBin(raw(${large - 19}), 'results/big')\nfor (i in 1:19) cat('y', file = paste0('results/', i))`,
  'fill memory': 'kept <- list()\nrepeat kept[[length(kept) + 1]] <- raw(16 * 1024 * 1024)',
  'fill bytes': "options(warn = 2)\ncon <- file('/tmp/big', 'wb')\nrepeat writeBin(raw(65536), con)",
  'fill files': "options(warn = 2)\ninvisible(file.create(paste0('/tmp/', 1:100000)))",
  reuse: "for (i in 1:40) { writeBin(raw(1e6), '/tmp/t'); unlink('/tmp/t') }",
  'odd names': [
    "dir.create('results/d')",
    "for (name in c('plain.txt', 'd/x', '..%2f..', 'a\\nb', 'C:\\\\x', 'CON', '.hidden', 'end.', '-dash'))",
    "  cat(name, file = paste0('results/', name))",
    "invisible(file.symlink('/etc/passwd', 'results/link'))",
    "invisible(file.symlink('/', 'results/rootlink'))",
    "invisible(file.symlink('plain.txt', 'results/inner'))",
    "deep <- paste(c('results', letters[1:12]), collapse = '/')",
    'dir.create(deep, recursive = TRUE)',
    "cat('deep', file = paste0(deep, '/deep'))",
  ].join('\n'),
  twins: "cat('1', file = 'results/Twin'); cat('2', file = 'results/twin')",
  'replace folder': "unlink('results', recursive = TRUE); invisible(file.symlink('/usr', 'results'))",
  'write x': "cat('x', file = 'results/x')",
};

export const rPrograms: SandboxPrograms = {
  language: 'R',
  entryPoint: 'main.R',
  files: (code) => ({ 'main.R': code }),
  code: r,
  side: { 'side.R': "cat('side\\n')" },
  exits: [
    ['quit(status = 7)', 7, ''],
    ['quit()', 0, ''],
    ["stop('why not')", 1, 'why not'],
    ["f <- function() stop('odd')\nf()", 1, 'Error in f() : odd'],
    ["on.exit(cat('late'))\nq('no', 9)", 9, ''],
    ['x <- (1 +', 1, 'unexpected end of input'],
  ],
  cannot: {},
};
