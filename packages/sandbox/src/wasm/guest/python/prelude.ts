/** The Python that runs before and around the job's own code. */

import { workFolder } from '../unit.ts';
import type { GuestUnit } from '../wire.ts';

/** Where the prelude finds its orders in the in-memory file system. */
export const ordersPath = '/assay/orders.json';

/** What the prelude is told of its unit. */
export function ordersOf(unit: Pick<GuestUnit, 'entryPoint' | 'args' | 'environment' | 'randomSeed'>): string {
  const { entryPoint, args, environment, randomSeed } = unit;
  return JSON.stringify({ entryPoint, args, environment, randomSeed });
}

/** Modules that most jobs need, imported into the image so that no unit pays for them. */
const warmUp = `
import array, bisect, collections, contextlib, csv, dataclasses, datetime, decimal, functools, hashlib, heapq, io
import itertools, json, math, operator, os, pathlib, random, re, statistics, string, struct, sys, time, traceback
`;

/**
 * What is done once, before the image is taken. Modules of the JavaScript bridge are dropped so that an honest script
 * which probes for them gets an ImportError; what keeps a dishonest one in is the gate, not this.
 */
export const settle = `${warmUp}
import atexit, gc, types

def _assay_settle():
    bridge = ('js', 'pyodide', 'pyodide_js', '_pyodide', '_pyodide_core')
    for name in [name for name in sys.modules if name.split('.')[0] in bridge]:
        del sys.modules[name]
    sys.meta_path[:] = [f for f in sys.meta_path if not getattr(f, '__module__', type(f).__module__).startswith('_pyodide')
                        and not type(f).__module__.startswith('_pyodide')]
    sys.excepthook = sys.__excepthook__
    sys.path[:] = [p for p in sys.path if p not in ('', '.')]
    for name, descriptor in (('stdout', 1), ('stderr', 2)):
        stream = io.TextIOWrapper(open(descriptor, 'wb', buffering=0 if name == 'stderr' else -1, closefd=False),
                                  encoding='utf-8', errors='backslashreplace', newline='\\n',
                                  line_buffering=True)
        setattr(sys, name, stream)
        setattr(sys, '__' + name + '__', stream)

def _assay_run():
    with open('${ordersPath}') as file:
        orders = json.load(file)
    os.unlink('${ordersPath}')
    os.environ.clear()
    os.environ.update(orders['environment'])
    random.seed(orders['randomSeed'])
    os.chdir('${workFolder}')
    script = orders['entryPoint']
    sys.path.insert(0, os.path.dirname(os.path.join('${workFolder}', script)))
    sys.argv = [script] + orders['args']
    sys.orig_argv = ['python'] + sys.argv
    main = types.ModuleType('__main__')
    main.__file__ = script
    main.__builtins__ = __builtins__
    sys.modules['__main__'] = main
    code = 0
    del main
    try:
        with io.open_code(script) as file:
            source = file.read()
        exec(compile(source, script, 'exec', dont_inherit=True), sys.modules['__main__'].__dict__)
    except SystemExit as ending:
        code = _assay_exit_code(ending.code)
    except BaseException as error:
        code = 1
        _assay_traceback(error)
    try:
        atexit._run_exitfuncs()
        _assay_let_go()
        sys.stdout.flush()
        sys.stderr.flush()
    except BaseException:
        code = code or 120
    return code

# As the interpreter does at its end, but for what came with the image. Open files are written before: a collection may
# close what they write through first.
def _assay_let_go():
    for thing in gc.get_objects():
        if type(thing) in (io.TextIOWrapper, io.BufferedWriter, io.BufferedRandom) and not thing.closed:
            with contextlib.suppress(OSError, ValueError):
                thing.flush()
    sys.stdout, sys.stderr = sys.__stdout__, sys.__stderr__
    sys.last_exc = sys.last_value = sys.meta_path = sys.path = None
    own = []
    for name in [name for name in sys.modules if name not in _assay_modules or name == '__main__']:
        module = sys.modules.pop(name)
        if isinstance(module, types.ModuleType):
            own.append(module)
    for module in reversed(own):
        for private in (True, False):
            for name in list(module.__dict__):
                if (name[:1] == '_' and name[1:2] != '_') == private and name != '__builtins__':
                    module.__dict__[name] = None
    own = module = thing = None
    gc.collect()

def _assay_exit_code(value):
    if value is None:
        return 0
    if isinstance(value, int):
        return value & 0xff if -2**63 <= value < 2**63 else 255
    print(value, file=sys.stderr)
    return 1

def _assay_traceback(error):
    own = error.__traceback__
    traceback.print_exception(type(error), error, own.tb_next if own is not None else None)

def _assay_start(leave=os._exit):
    leave(_assay_run())

_assay_settle()
_assay_modules = frozenset(sys.modules)
gc.collect()
gc.freeze()
`;

/** Runs the script as `__main__` and leaves with its exit code. */
export const start = '_assay_start()';
