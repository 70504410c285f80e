import { describe, expect, it } from 'vitest';
import { createBody, differences, type CellClass } from './container-body.ts';
import { seccompProfile } from './seccomp.ts';

const cell: CellClass = {
  runtime: 'runsc',
  image: `sha256:${'a'.repeat(64)}`,
  memoryBytes: 256 * 1024 * 1024,
  cpuCores: 1.5,
  tmpfsBytes: 1024 * 1024,
  tmpfsFiles: 100,
  fileBytes: 1024,
  connects: true,
  ahead: [],
};
const asked = createBody(cell, { labels: { 'assay.sandbox.host': 'here' }, cgroupParent: '/assay/unit-1' });

/** What a daemon that did as it was told would say. */
const found = () => ({
  Image: asked.Image,
  Config: {
    ...asked.Config,
    NetworkDisabled: undefined,
    Entrypoint: null,
    Labels: { ...labels(), other: 'of the image' },
  },
  HostConfig: { ...asked.HostConfig, Privileged: false, GroupAdd: [] },
  Mounts: [],
  NetworkSettings: { Networks: { none: {} } },
});
const labels = () => asked.Config['Labels'] as Record<string, string>;

describe('a started container', () => {
  it('is as it was asked for, however the daemon writes nothing', () => {
    expect(differences(asked, found())).toEqual([]);
  });

  const weaker: Record<string, unknown> = {
    CapDrop: [],
    ReadonlyRootfs: false,
    CapAdd: ['SYS_ADMIN'],
    Privileged: true,
  };
  it.each(Object.keys(asked.HostConfig))('is noticed where HostConfig.%s came out otherwise', (key) => {
    const other = { ...found().HostConfig, [key]: weaker[key] ?? 'other' };
    expect(differences(asked, { ...found(), HostConfig: other })).toEqual([`HostConfig.${key}`]);
  });

  it.each([
    [{ Image: 'sha256:b' }, 'Image'],
    [{ Mounts: [{ Source: '/' }] }, 'Mounts'],
    [{ NetworkSettings: { Networks: { bridge: {} } } }, 'Networks'],
    [{ Config: { ...asked.Config, User: '0:0' } }, 'Config.User'],
    [{ Config: { ...asked.Config, Cmd: ['sh'] } }, 'Config.Cmd'],
    [{ Config: { ...asked.Config, Labels: {} } }, 'Label.assay.sandbox.host'],
    [
      { Config: { ...asked.Config, Env: (asked.Config['Env'] as string[]).slice(1) } },
      'Env PATH=/usr/local/bin:/usr/bin:/bin',
    ],
  ])('is noticed with %j', (change, what) => {
    expect(differences(asked, { ...found(), ...change })).toEqual([what]);
  });

  it('is noticed where the daemon says nothing at all', () => {
    expect(differences(asked, undefined).length).toBeGreaterThan(20);
  });
});

describe('the system calls of a unit', () => {
  interface Rule {
    readonly names: readonly string[];
    readonly action: string;
    readonly args?: readonly unknown[];
  }
  const { defaultAction, syscalls } = JSON.parse(seccompProfile(true)) as { defaultAction: string; syscalls: Rule[] };
  const rules = (name: string) => syscalls.filter((rule) => rule.names.includes(name));

  it('make no socket but local ones where it may connect to nobody', () => {
    const alone = JSON.parse(seccompProfile(false)) as { syscalls: Rule[] };
    const families = alone.syscalls.filter(({ names }) => names.includes('socket')).map(({ args }) => args?.[0]);
    expect(families).toEqual([expect.objectContaining({ value: 1, op: 'SCMP_CMP_EQ' })]);
    expect(alone.syscalls).toHaveLength(syscalls.length - 4);
  });

  it('are those of a list', () => {
    expect(defaultAction).toBe('SCMP_ACT_ERRNO');
    expect(new Set(syscalls.map(({ action }) => action))).toEqual(new Set(['SCMP_ACT_ALLOW', 'SCMP_ACT_TRACE']));
  });

  it.each(
    (
      'ptrace process_vm_readv process_vm_writev kcmp pidfd_getfd process_madvise mount umount umount2 mount_setattr ' +
      'move_mount open_tree fsopen fsconfig fsmount fspick pivot_root chroot keyctl add_key request_key perf_event_open ' +
      'bpf io_uring_setup io_uring_enter io_uring_register userfaultfd name_to_handle_at open_by_handle_at vmsplice ' +
      'unshare setns memfd_secret seccomp kexec_load init_module finit_module delete_module reboot swapon settimeofday ' +
      'clock_settime sethostname acct quotactl syslog modify_ldt iopl ioperm fanotify_init lookup_dcookie ' +
      'inotify_init inotify_init1 inotify_add_watch splice sendfile tee'
    ).split(' '),
  )('leave out %s', (name) => expect(rules(name)).toEqual([]));

  it.each(
    (
      'clone socket socketpair mknod mknodat personality ' +
      'setpriority ioprio_set sched_setattr sched_setparam sched_setscheduler prlimit64 ' +
      'setsockopt prctl sendto sendmsg sendmmsg'
    ).split(' '),
  )('allow %s for some arguments only', (name) => {
    expect(rules(name).length).toBeGreaterThan(0);
    for (const rule of rules(name)) expect(rule.args?.length).toBeGreaterThan(0);
  });
});
