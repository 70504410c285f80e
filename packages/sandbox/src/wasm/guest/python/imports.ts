/**
 * What the Python interpreter's WebAssembly module may import. The interpreter is trusted to be what the registry
 * delivered, the job inside it is not: whatever the module can call, the job can call by corrupting its own memory.
 */

import type { GatePolicy } from '../gate.ts';

const allowed = new Set(
  `_PyEM_TrampolineCall_JS _Py_CheckEmscriptenSignals_Helper _Py_emscripten_runtime __assert_fail __call_sighandler
  __syscall_chdir __syscall_chmod __syscall_dup __syscall_dup3 __syscall_faccessat __syscall_fadvise64
  __syscall_fallocate __syscall_fchdir __syscall_fchmod __syscall_fchmodat2 __syscall_fchown32 __syscall_fchownat
  __syscall_fcntl64 __syscall_fdatasync __syscall_fstat64 __syscall_fstatfs64 __syscall_ftruncate64 __syscall_getcwd
  __syscall_getdents64 __syscall_getuid32_js __syscall_ioctl __syscall_lstat64 __syscall_mkdirat __syscall_newfstatat
  __syscall_openat __syscall_pipe __syscall_poll __syscall_readlinkat __syscall_renameat __syscall_rmdir
  __syscall_stat64 __syscall_statfs64 __syscall_symlinkat __syscall_truncate64 __syscall_umask_js __syscall_unlinkat
  __syscall_utimensat _abort_js _emscripten_get_progname _emscripten_runtime_keepalive_clear _gmtime_js _localtime_js
  _mktime_js _mmap_js _msync_js _munmap_js _timegm_js _tzset_js clock_res_get clock_time_get emscripten_date_now
  emscripten_get_heap_max emscripten_get_now emscripten_resize_heap emscripten_runtime_keepalive_pop
  emscripten_runtime_keepalive_push environ_get environ_sizes_get exit fd_close fd_fdstat_get fd_pread fd_pwrite
  fd_read fd_seek fd_sync fd_write proc_exit random_get throw_no_gil`.split(/\s+/),
);

const refused = new Map<string, number | null>([
  ...`__syscall_accept4 __syscall_bind __syscall_connect __syscall_getpeername __syscall_getsockname
  __syscall_getsockopt __syscall_listen __syscall_recvfrom __syscall_recvmsg __syscall_sendmsg __syscall_sendto
  __syscall_socket __syscall_mknodat _emscripten_system _setitimer_js`
    .split(/\s+/)
    .map((name): [string, number] => [name, -52]),
  ['getaddrinfo', -4],
  ['getnameinfo', -4],
  ['getprotobyname', 0],
  ['_emscripten_lookup_name', 0],
  ['_dlopen_js', 0],
  ['_dlsym_js', 0],
  ['_emscripten_dlopen_js', 0],
  ['_try_fcntl64', 0],
  ['_try_shutdown', 0],
  ['_maybe_poll_async', null],
  ['can_run_sync_js', 0],
  ['ffi_closure_alloc_js', 0],
  ['ffi_prep_closure_loc_js', 1],
]);

export const pythonPolicy: GatePolicy = {
  importLists: new Set(['ab62fee60b11c874aecd9081333ca0bf71e1a24f2e2c4623b3cd491d30a7b66f']),
  allowed,
  refused,
};
