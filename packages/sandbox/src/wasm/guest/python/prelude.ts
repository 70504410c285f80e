/** The Python that runs before and around the job's own code. */

import { workFolder } from '../unit.ts';

/** Where the prelude finds its orders in the in-memory file system. */
export const ordersPath = '/assay/orders.json';

/** Modules that most jobs need, imported into the snapshot so that no unit pays for them. */
export const warmUp = `
import array, bisect, collections, contextlib, csv, dataclasses, datetime, decimal, functools, hashlib, heapq, io
import itertools, json, math, operator, os, pathlib, random, re, statistics, string, struct, sys, time, traceback
`;

/**
 * Runs the script as \`__main__\`. Modules of the JavaScript bridge are dropped so that an honest script which probes
 * for them gets an ImportError; what keeps a dishonest one in is the gate, not this.
 */
export const prelude = `
def _assay_start():
    import io, json, os, random, sys, types
    with open('${ordersPath}') as file:
        orders = json.load(file)
    os.unlink('${ordersPath}')
    os.environ.clear()
    os.environ.update(orders['environment'])
    bridge = ('js', 'pyodide', 'pyodide_js', '_pyodide', '_pyodide_core')
    for name in [name for name in sys.modules if name.split('.')[0] in bridge]:
        del sys.modules[name]
    sys.meta_path[:] = [f for f in sys.meta_path if not getattr(f, '__module__', type(f).__module__).startswith('_pyodide')
                        and not type(f).__module__.startswith('_pyodide')]
    sys.excepthook = sys.__excepthook__
    random.seed(orders['randomSeed'])
    os.chdir('${workFolder}')
    script = orders['entryPoint']
    folder = os.path.dirname(os.path.join('${workFolder}', script))
    sys.path[:] = [folder] + [p for p in sys.path if p not in ('', '.')]
    sys.argv = [script] + orders['args']
    sys.orig_argv = ['python'] + sys.argv
    for name, descriptor in (('stdout', 1), ('stderr', 2)):
        stream = io.TextIOWrapper(open(descriptor, 'wb', buffering=0 if name == 'stderr' else -1, closefd=False),
                                  encoding='utf-8', errors='backslashreplace', newline='\\n',
                                  line_buffering=True)
        setattr(sys, name, stream)
        setattr(sys, '__' + name + '__', stream)
    leave = os._exit
    main = types.ModuleType('__main__')
    main.__file__ = script
    main.__builtins__ = __builtins__
    sys.modules['__main__'] = main
    code = 0
    try:
        with io.open_code(script) as file:
            source = file.read()
        exec(compile(source, script, 'exec', dont_inherit=True), main.__dict__)
    except SystemExit as ending:
        code = _assay_exit_code(ending.code)
    except BaseException as error:
        code = 1
        _assay_traceback(error)
    try:
        import atexit
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
    except BaseException:
        code = code or 120
    leave(code)

def _assay_exit_code(value):
    import sys
    if value is None:
        return 0
    if isinstance(value, int):
        return value & 0xff
    print(value, file=sys.stderr)
    return 1

def _assay_traceback(error):
    import traceback
    own = error.__traceback__
    traceback.print_exception(type(error), error, own.tb_next if own is not None else None)

_assay_start()
`;
