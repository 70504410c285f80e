/** The Python around each probe, and what a naive collector of outputs would do with what it leaves. */

/** `escaped`, and for CPython the raw system calls: what `reaches` finds answering with more than a refusal escaped. */
export const pythonPrelude = `
import os, sys, tempfile
scratch = tempfile.gettempdir()
def escaped(what):
    print('ESC' + 'APED', what, flush=True)
`;

const numbers = {
  x86_64:
    'ptrace=101 process_vm_readv=310 kcmp=312 pidfd_open=434 pidfd_getfd=438 process_madvise=440 mount=165 umount2=166 pivot_root=155 mount_setattr=442 move_mount=429 open_tree=428 fsopen=430 fspick=433 keyctl=250 add_key=248 request_key=249 perf_event_open=298 bpf=321 io_uring_setup=425 userfaultfd=323 name_to_handle_at=303 open_by_handle_at=304 vmsplice=278 unshare=272 setns=308 memfd_create=319 memfd_secret=447 init_module=175 finit_module=313 kexec_load=246 reboot=169 swapon=167 acct=163 syslog=103 settimeofday=164 sethostname=170 iopl=172 quotactl=179 chroot=161 fanotify_init=300 clone=56 inotify_init1=294 setuid=105 setgroups=116',
  aarch64:
    'ptrace=117 process_vm_readv=270 kcmp=272 pidfd_open=434 pidfd_getfd=438 process_madvise=440 mount=40 umount2=39 pivot_root=41 mount_setattr=442 move_mount=429 open_tree=428 fsopen=430 fspick=433 keyctl=219 add_key=217 request_key=218 perf_event_open=241 bpf=280 io_uring_setup=425 userfaultfd=282 name_to_handle_at=264 open_by_handle_at=265 vmsplice=75 unshare=97 setns=268 memfd_create=279 memfd_secret=447 init_module=105 finit_module=273 kexec_load=104 reboot=142 swapon=224 acct=89 syslog=116 settimeofday=170 sethostname=161 quotactl=60 chroot=51 fanotify_init=262 clone=220 inotify_init1=26 setuid=146 setgroups=159',
};

export const cpythonPrelude = `${pythonPrelude}
import ctypes, errno, socket, struct, subprocess, threading, time
libc = ctypes.CDLL(None, use_errno=True)
numbers = dict(pair.split('=') for pair in {'x86_64': '${numbers.x86_64}', 'aarch64': '${numbers.aarch64}'}[os.uname().machine].split())
def call(name, *args):
    if name not in numbers: raise OSError(errno.ENOSYS, 'not on this machine')
    ctypes.set_errno(0)
    answer = libc.syscall(int(numbers[name]), *[ctypes.c_long(a) if isinstance(a, int) else a for a in args])
    if answer < 0: raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return answer
def reaches(name, *args):
    try:
        answer = call(name, *args)
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.EACCES, errno.ENOSYS): escaped(f'{name} was looked at: {error}')
        else: print('refused', name, error)
    else:
        escaped(f'{name} answered {answer}')
def opens(path, flags=os.O_WRONLY):
    try:
        os.close(os.open(path, flags | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC))
    except OSError as error:
        print('refused', path, error)
    else:
        escaped(f'opened {path}')
`;

/** Follows links, believes sizes, unpacks archives, prints names as they are: what a careless collector does. */
export const naiveCollector = `
import signal, zipfile
class Late(BaseException):
    pass
def late(*_):
    raise Late
try:
    signal.signal(signal.SIGALRM, late)
except (AttributeError, ValueError):
    pass
count = 0
for folder, folders, names in os.walk('results', followlinks=True):
    if folder.count('/') > 200:
        escaped('the collector went as deep as it was led')
        break
    for name in names:
        count += 1
        path = os.path.join(folder, name)
        if count < 50: print(name)
        try:
            if hasattr(signal, 'alarm'): signal.alarm(2)
            if os.stat(path).st_size > 1 << 33: escaped('the collector believed a size')
            elif zipfile.is_zipfile(path):
                if sum(i.file_size for i in zipfile.ZipFile(path).infolist()) > 1 << 30: escaped('the collector unpacks a bomb')
            elif count < 50: print(open(path, errors='replace').read(4096))
        except Late:
            escaped('the collector hangs')
        except OSError as error:
            print(error)
        finally:
            if hasattr(signal, 'alarm'): signal.alarm(0)
if count > 1000: escaped('the collector took every file')
`;
