"""Runs a unit's script as __main__: seeded, with a pinned clock where its order says so.

python3 -s -B -X utf8 /platform/python-start.py [ahead]

The order comes on stdin as length-prefixed fields: script, seed, epoch in milliseconds (both may be empty), number of
arguments, arguments, environment as NAME=value. With `ahead` the interpreter first imports what most units need, says
one byte on stdout and waits: it then serves one unit and ends like any other.
"""


def _fields(data):
    found = []
    at = 0
    while at < len(data):
        length = int.from_bytes(data[at : at + 4], 'big')
        found.append(data[at + 4 : at + 4 + length].decode('utf-8', 'surrogateescape'))
        at += 4 + length
    return found


# Where modules that were imported ahead keep functions of `time`: the module, the name there, the function's name.
_took_time = []


def _import_ahead():
    import collections, csv, dataclasses, datetime, functools, hashlib, heapq, io, itertools, json, math  # noqa
    import os, pathlib, random, re, statistics, string, struct, subprocess, sys, tempfile, time, traceback  # noqa

    try:
        import numpy  # noqa
    except ImportError:
        pass
    # What is here stays: the collection at the end need not look at it.
    import gc

    gc.collect()
    gc.freeze()
    modules = [(name, module) for name, module in sys.modules.items() if isinstance(module, type(sys))]
    found = {name: (module, frozenset(module.__dict__)) for name, module in modules if name != '__main__'}
    clocks = {id(value): name for name, value in time.__dict__.items() if type(value) is type(time.time)}
    for _, module in modules:
        if module is not time:
            took = [(module, name, clocks[id(value)]) for name, value in module.__dict__.items() if id(value) in clocks]
            _took_time.extend(took)
    os.write(1, b'\n')
    return found


def _start_anew(order, variables):
    """In place of the interpreter that waited, one that has imported nothing yet."""
    import os, sys

    handle = os.memfd_create('order')
    with open(handle, 'wb', closefd=False) as stream:
        stream.write(order)
    os.lseek(handle, 0, os.SEEK_SET)
    os.dup2(handle, 0)
    os.execve('/usr/bin/python3', sys.orig_argv[:-1], variables)


class _Builtin:
    """A function that is bound to no object, as those in C that it stands for: classes keep them as attributes."""

    def __init__(self, name, function):
        self._function = function
        self.__name__ = self.__qualname__ = name

    def __call__(self, *args, **kwargs):
        return self._function(*args, **kwargs)


def _pin_entropy(seed):
    """Every source of randomness of the standard library, and numpy's and torch's own where they are imported."""
    import hashlib, os, random

    state = {'counter': 0, 'held': b''}

    def urandom(size):
        held = state['held']
        while len(held) < size:
            held += hashlib.sha256(b'unit %d\n%d' % (seed, state['counter'])).digest()
            state['counter'] += 1
        state['held'] = held[size:]
        return held[:size]

    def getrandom(size, flags=0):
        return urandom(size)

    os.urandom = random._urandom = _Builtin('urandom', urandom)
    if hasattr(os, 'getrandom'):
        os.getrandom = _Builtin('getrandom', getrandom)
    original = random.Random.seed

    def seed_instance(self, a=None, version=2):
        original(self, int.from_bytes(urandom(32), 'big') if a is None else a, version)

    random.Random.seed = seed_instance
    random._inst.seed(seed)
    _when_imported('numpy.random', lambda module: module.seed(seed % 2**32))
    _when_imported('torch', lambda module: module.manual_seed(seed))


def _when_imported(name, then):
    import sys

    if name in sys.modules:
        then(sys.modules[name])
        return

    class Finder:
        @staticmethod
        def find_spec(wanted, path=None, target=None):
            if wanted != name:
                return None
            sys.meta_path.remove(Finder)
            import importlib.util

            spec = importlib.util.find_spec(name)
            if spec is not None and spec.loader is not None:
                execute = spec.loader.exec_module

                def exec_module(module):
                    execute(module)
                    then(module)

                spec.loader.exec_module = exec_module
            return spec

    sys.meta_path.insert(0, Finder)


def _pin_clock(epoch_ms):
    """The clock stands but for a tenth of a millisecond at each reading, and for what is slept."""
    import time

    tick = 100_000
    state = {'ns': 0}
    sleep_truly = time.sleep
    gmtime, localtime, ctime, strftime = time.gmtime, time.localtime, time.ctime, time.strftime
    start = epoch_ms * 1_000_000

    def elapsed():
        state['ns'] += tick
        return state['ns']

    def sleep(seconds):
        sleep_truly(seconds)
        state['ns'] += int(seconds * 1_000_000_000)

    def wall():
        return start + elapsed()

    def clock_gettime_ns(clock):
        return wall() if clock == time.CLOCK_REALTIME else elapsed()

    def strftime_now(form, *parts):
        return strftime(form, *(parts or (localtime(time.time()),)))

    pinned = {
        'sleep': sleep,
        'time_ns': wall,
        'time': lambda: wall() / 1e9,
        'clock_gettime_ns': clock_gettime_ns,
        'clock_gettime': lambda clock: clock_gettime_ns(clock) / 1e9,
        'gmtime': lambda seconds=None: gmtime(time.time() if seconds is None else seconds),
        'localtime': lambda seconds=None: localtime(time.time() if seconds is None else seconds),
        'ctime': lambda seconds=None: ctime(time.time() if seconds is None else seconds),
        'strftime': strftime_now,
    }
    for name in ('monotonic', 'perf_counter', 'process_time', 'thread_time'):
        pinned[name] = lambda: elapsed() / 1e9
        pinned[name + '_ns'] = elapsed
    for name, function in pinned.items():
        setattr(time, name, _Builtin(name, function))
    for module, name, function in _took_time:
        if function in pinned:
            setattr(module, name, getattr(time, function))
    _when_imported('datetime', lambda module: _pin_dates(module, wall))


def _pin_dates(module, wall):
    """`datetime` reads the machine's clock in C, so its classes get children that read the pinned one."""
    real_date, real_datetime = module.date, module.datetime

    class DateType(type):
        def __instancecheck__(cls, instance):
            return isinstance(instance, real_date)

        def __subclasscheck__(cls, subclass):
            return issubclass(subclass, real_date)

    class DateTimeType(type):
        def __instancecheck__(cls, instance):
            return isinstance(instance, real_datetime)

        def __subclasscheck__(cls, subclass):
            return issubclass(subclass, real_datetime)

    class date(real_date, metaclass=DateType):
        @classmethod
        def today(cls):
            return cls.fromtimestamp(wall() / 1e9)

    class datetime(real_datetime, metaclass=DateTimeType):
        @classmethod
        def now(cls, tz=None):
            return cls.fromtimestamp(wall() / 1e9, tz)

        @classmethod
        def today(cls):
            return cls.now()

        @classmethod
        def utcnow(cls):
            return cls.now(module.timezone.utc).replace(tzinfo=None)

    for child in (date, datetime):
        child.__module__ = 'datetime'
        child.__qualname__ = child.__name__
        setattr(module, child.__name__, child)


def _main():
    import io, os, sys, types

    global _ahead
    _ahead = _import_ahead() if sys.argv[1:] == ['ahead'] else None
    with open(0, 'rb', closefd=False) as stream:
        order = stream.read()
    script, seed, epoch, count, *rest = _fields(order)
    arguments, environment = rest[: int(count)], rest[int(count) :]
    variables = dict(pair.split('=', 1) for pair in environment)
    folder = os.path.dirname(os.path.abspath(script))
    if _ahead is not None:
        # A file of the unit's that goes by the name of what is here already would have been imported in its place.
        taken = {name.partition('.')[0] for name in sys.modules}
        if any(name.partition('.')[0] in taken for name in os.listdir(folder)):
            _start_anew(order, variables)
    empty = os.open('/dev/null', os.O_RDONLY)
    os.dup2(empty, 0)
    os.close(empty)
    os.environ.clear()
    os.environ.update(variables)
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors='backslashreplace', newline='\n', line_buffering=True)
    if seed:
        _pin_entropy(int(seed))
    elif 'random' in sys.modules:
        # What was imported ahead was seeded then.
        sys.modules['random'].seed()
        if 'numpy' in sys.modules:
            sys.modules['numpy'].random.seed()
    if epoch:
        _pin_clock(int(epoch))
    sys.path[0] = folder
    sys.argv = [script, *arguments]
    sys.orig_argv = ['python3', *sys.argv]
    main = types.ModuleType('__main__')
    main.__file__ = script
    main.__builtins__ = __builtins__
    sys.modules['__main__'] = main
    with io.open_code(script) as stream:
        source = stream.read()
    return main, source, script


def _leave(code):
    """Ends as the interpreter would, without taking apart what it imported ahead: that costs as much as a short unit."""
    import atexit, builtins, gc, os, sys, weakref

    try:
        if 'threading' in sys.modules:
            sys.modules['threading']._shutdown()
        atexit._run_exitfuncs()
        # Files that are still open are written when nothing refers to them any more, wherever the unit kept them.
        for name in ('path', 'argv', 'meta_path', 'path_hooks', 'path_importer_cache', 'last_exc', 'last_value'):
            setattr(sys, name, None)
        sys.stdout, sys.stderr = sys.__stdout__, sys.__stderr__
        modules = dict(sys.modules)
        sys.modules.clear()
        own = []
        for name, module in list(modules.items()):
            if module is _ahead.get(name, (None,))[0]:
                continue
            del modules[name]
            if isinstance(module, type(sys)):
                own.append(weakref.ref(module))
            del module
        # The interpreter takes back to its very beginning what is built in, before it collects.
        late = {'open', 'help', 'exit', 'quit', 'copyright', 'credits', 'license'}
        for name in late | (builtins.__dict__.keys() - _ahead['builtins'][1]):
            builtins.__dict__.pop(name, None)
        gc.collect()
        for module, names in _ahead.values():
            if len(module.__dict__) > len(names):
                for name in module.__dict__.keys() - names:
                    module.__dict__[name] = None
        for module in filter(None, (find() for find in reversed(own))):
            _clear(module.__dict__)
        gc.collect()
        sys.stdout.flush()
        sys.stderr.flush()
    except BaseException:
        code = code or 120
    os._exit(code)


def _clear(names):
    for private in (True, False):
        for name in list(names):
            if (name[:1] == '_' and name[1:2] != '_') == private and name != '__builtins__':
                names[name] = None


def _exit_code(value):
    import sys

    if value is None:
        return 0
    if isinstance(value, int):
        return value & 0xFF if -(2**63) <= value < 2**63 else 255
    print(value, file=sys.stderr)
    return 1


def _run():
    import sys

    main, source, script = _main()
    try:
        exec(compile(source, script, 'exec', dont_inherit=True), main.__dict__)
    except SystemExit as ending:
        if _ahead is None:
            raise
        code = _exit_code(ending.code)
    except BaseException as error:
        # The unit's author shall see his own frames only.
        trace = error.__traceback__.tb_next if error.__traceback__ is not None else None
        error.__traceback__ = trace
        sys.excepthook(type(error), error, trace)
        code = 1
    else:
        code = 0
    if _ahead is not None:
        trace = main = None
        _leave(code)
    sys.exit(code)


_run()
