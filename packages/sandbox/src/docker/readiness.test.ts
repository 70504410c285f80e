import { describe, expect, it } from 'vitest';
import { apiPrefix } from './daemon.ts';
import { judge } from './readiness.ts';
import { openWalls } from './self-test.ts';

const info = {
  OSType: 'linux',
  CgroupDriver: 'cgroupfs',
  CgroupVersion: '2',
  MemoryLimit: true,
  SwapLimit: true,
  PidsLimit: true,
  CpuCfsQuota: true,
  SecurityOptions: ['name=seccomp,profile=default', 'name=userns'],
  Runtimes: { runc: {}, runsc: {} },
};
const version = { Version: '29.0.0', Components: [{ Name: 'runc', Version: '1.3.3' }] };

describe('a daemon', () => {
  it('is spoken to in the oldest version that both know', () => {
    expect(apiPrefix({ ApiVersion: '1.41', MinAPIVersion: '1.12' })).toBe('/v1.41');
    expect(apiPrefix({ ApiVersion: '1.52', MinAPIVersion: '1.44' })).toBe('/v1.44');
    expect(apiPrefix({ ApiVersion: '1.43' })).toBe('/v1.41');
    expect(() => apiPrefix({ ApiVersion: '1.40', MinAPIVersion: '1.12' })).toThrow('1.41 is needed');
    expect(() => apiPrefix(undefined)).toThrow('1.41 is needed');
  });

  it('that has everything is taken without a warning', () => {
    expect(judge(info, version, 'runc')).toEqual({
      faults: [],
      warnings: [],
      version: '29.0.0',
      cgroupDriver: 'cgroupfs',
      countsSockets: true,
    });
    expect(judge({ ...info, SecurityOptions: ['name=seccomp', 'name=rootless'] }, version, 'runsc').faults).toEqual([]);
  });

  it.each([
    [{ OSType: 'windows' }, 'no Linux'],
    [{ MemoryLimit: false }, 'memory'],
    [{ SwapLimit: false }, 'swap'],
    [{ PidsLimit: false }, 'processes'],
    [{ CpuCfsQuota: false }, 'processor'],
    [{ SecurityOptions: ['name=userns'] }, 'system calls'],
    [{ SecurityOptions: ['name=seccomp'] }, 'userns-remap'],
    [{ Runtimes: { runc: {} } }, 'gVisor'],
  ])('that says %j is refused', (change, word) => {
    const { faults } = judge({ ...info, ...change }, version, 'runsc');
    expect(faults).toHaveLength(1);
    expect(faults[0]).toContain(word);
  });

  it('that says nothing is refused for every measure', () => {
    expect(judge({}, {}, 'runc').faults).toHaveLength(8);
  });

  it.each([
    ['1.1.5+ds1', 1],
    ['1.2.7', 1],
    ['1.2.8', 0],
    ['1.3.2', 1],
    ['1.3.3', 0],
    ['1.4.0', 0],
    ['2.0.0', 0],
  ])('with runc %s gets %d warnings', (runc, count) => {
    const found = judge(info, { Components: [{ Name: 'runc', Version: runc }] }, 'runc');
    expect(found.warnings).toHaveLength(count);
    expect(judge(info, { Components: [{ Name: 'runc', Version: runc }] }, 'runsc').warnings).toEqual([]);
  });
});

const good = [
  ...'bpf io_uring_setup keyctl perf_event_open ptrace setns unshare'.split(' ').map((name) => `${name} 1`),
  ...[16, 17, 38, 40].map((family) => `family-${family} 1`),
  ...['CapPrm', 'CapEff', 'CapBnd'].map((name) => `${name} 0000000000000000`),
  'Uid 65534',
  'NoNewPrivs 1',
  'Seccomp 2',
  'exec-from-tmp 13',
  'interfaces lo',
  'uid_map 0 100000 65536',
  'kernel Linux version 6.1',
];

describe('the self-test', () => {
  it('finds the walls up', () => {
    expect(openWalls('runc', good.join('\n'))).toEqual([]);
    expect(openWalls('runsc', [...good, 'kernel Linux version 4.19.0-gvisor'].join('\n'))).toEqual([]);
  });

  it.each(good.filter((line) => !line.startsWith('kernel')))('misses the answer %s', (line) => {
    expect(openWalls('runc', good.filter((other) => other !== line).join('\n'))).toHaveLength(1);
  });

  it.each(['writable /etc', 'present /dev/kvm', 'unshare allowed', 'interfaces eth0,lo', 'uid_map 0 0 4294967295'])(
    'does not stand %s',
    (line) => expect(openWalls('runc', [...good, line].join('\n'))).toHaveLength(1),
  );

  it('knows gVisor', () => {
    expect(openWalls('runsc', good.join('\n'))).toEqual(['the runtime runsc is not gVisor']);
  });
});
