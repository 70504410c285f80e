import { describe, expect, it } from 'vitest';
import { cgroupNamed, cgroupOf, mountsIn } from './cgroup.ts';

const hybrid = [
  'tmpfs /sys/fs/cgroup tmpfs rw 0 0',
  'cgroup /sys/fs/cgroup/cpu,cpuacct cgroup rw,nosuid,cpu,cpuacct 0 0',
  'cgroup /sys/fs/cgroup/memory cgroup rw,memory 0 0',
  'cgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0',
  '',
].join('\n');

describe('control groups', () => {
  it('are found by controller where they are mounted one by one, and as one tree', () => {
    const { v1, v2 } = mountsIn(hybrid);
    expect(v1.get('memory')).toBe('/sys/fs/cgroup/memory');
    expect(v1.get('cpuacct')).toBe('/sys/fs/cgroup/cpu,cpuacct');
    expect(v2).toBe('/sys/fs/cgroup/unified');
    expect(mountsIn('cgroup2 /sys/fs/cgroup cgroup2 rw 0 0').v2).toBe('/sys/fs/cgroup');
    expect(mountsIn('').v1.size).toBe(0);
  });

  it('of processes and names that are not there say so', () => {
    expect(cgroupOf(0)).toBeUndefined();
    expect(cgroupOf(2 ** 30)).toBeUndefined();
    const none = cgroupNamed('assay-none-such');
    expect(none.figures()).toBeUndefined();
    expect(none.processes()).toBeUndefined();
    none.kill();
  });
});
