/**
 * What R's WebAssembly module may import. As for Python, the interpreter is trusted to be what the registry delivered,
 * the job inside it is not. The table that is gated also links R's own libraries (BLAS, LAPACK, `stats`, …) and holds
 * everything that Emscripten ever offers a C program, canvas and sockets included: what is not named here is sealed.
 */

import type { GatePolicy } from '../gate.ts';

const allowed = new Set(
  `__assert_fail __call_sighandler __syscall_chdir __syscall_chmod __syscall_dup __syscall_dup3 __syscall_faccessat
  __syscall_fadvise64 __syscall_fallocate __syscall_fchdir __syscall_fchmod __syscall_fchmodat2 __syscall_fchown32
  __syscall_fchownat __syscall_fcntl64 __syscall_fdatasync __syscall_fstat64 __syscall_fstatfs64 __syscall_ftruncate64
  __syscall_getcwd __syscall_getdents64 __syscall_ioctl __syscall_lstat64 __syscall_mkdirat __syscall_newfstatat
  __syscall_openat __syscall_pipe2 __syscall_poll __syscall_readlinkat __syscall_renameat __syscall_rmdir
  __syscall_stat64 __syscall_statfs64 __syscall_symlinkat __syscall_truncate64 __syscall_umask __syscall_unlinkat
  __syscall_utimensat _abort_js _emscripten_get_progname _gmtime_js _localtime_js _mktime_js _mmap_js _msync_js
  _munmap_js _timegm_js _tzset_js clock_res_get clock_time_get emscripten_asm_const_int emscripten_date_now
  emscripten_get_heap_max emscripten_get_now emscripten_resize_heap environ_get environ_sizes_get exit fd_close
  fd_fdstat_get fd_pread fd_pwrite fd_read fd_seek fd_sync fd_write proc_exit random_get`.split(/\s+/),
);

/**
 * `_emscripten_system` answers as a shell does that does not find the program: R asks it to remove its temporary folder
 * when it leaves. `emscripten_run_script_int` is how `download.file` asks a browser: the download failed.
 */
const refused = new Map<string, number | null>([
  ...`__syscall_accept4 __syscall_bind __syscall_connect __syscall_getpeername __syscall_getsockname
  __syscall_getsockopt __syscall_listen __syscall_recvfrom __syscall_recvmsg __syscall_sendmsg __syscall_sendto
  __syscall_socket __syscall_mknodat _setitimer_js`
    .split(/\s+/)
    .map((name): [string, number] => [name, -52]),
  ['getnameinfo', -4],
  ['_emscripten_lookup_name', 0],
  ['_emscripten_system', 127 << 8],
  ['emscripten_run_script_int', 1],
]);

/** R loads its own libraries with these, all of them before it is given its unit. */
const closing = new Map<string, number | null>([
  ['_dlopen_js', 0],
  ['_dlsym_js', 0],
]);

export const rPolicy: GatePolicy = {
  importLists: new Set([
    '6cc5f85571a9ce7718b7c695bc8daebce0168dd9f3d1947ce5b5e1f41efd48ab',
    '02850d83fc539db46cf9db0159993ae67b3feb38b3cf47e1920cfd7efc9f4b0c',
  ]),
  allowed,
  refused,
  closing,
};
