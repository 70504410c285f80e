import { describe, expect, it } from 'vitest';
import { Refusal } from '@assay/core';
import { readSettings, readSettingsText, usualSettings } from './settings.ts';

const file = { url: 'https://market.example', name: 'dora-desk' };

function faultsOf(read: () => unknown): unknown {
  try {
    read();
  } catch (error) {
    if (error instanceof Refusal && error.code === 'config.invalid') return error.details['faults'];
    throw error;
  }
  return [];
}

describe('the settings of a worker', () => {
  it('allow everything that is safe where the owner says nothing', () => {
    expect(usualSettings).toEqual({
      capacity: 1,
      sandbox: 'all',
      prefer: 'docker',
      policy: 'default',
      docker_socket: '/var/run/docker.sock',
      warm: 0,
      egress: false,
      hours: [],
      cpu_share: 1,
      memory_share: 0.8,
      disk_gb: 8,
      max_hours: 168,
    });
  });

  it('are read from a file, and all faults are told at once', () => {
    const whole = {
      ...file,
      hours: ['22:00-06:00'],
      idle_load: 0.2,
      runners: ['platform-runner:r'],
      battery_percent: 100,
    };
    expect(readSettingsText(JSON.stringify(whole), 'x.json')).toEqual({ ...usualSettings, ...whole });
    expect(
      faultsOf(() => readSettingsText(JSON.stringify({ ...file, hour: [], capacity: 0, cpu_share: '1' }), 'x.json')),
    ).toEqual([
      { path: 'hour', message: 'is not a known key; did you mean hours?' },
      { path: 'capacity', message: 'must be 1 to 64' },
      { path: 'cpu_share', message: 'must be a number' },
    ]);
    expect(faultsOf(() => readSettingsText('{', 'x.json'))).toBeUndefined();
    expect(() => readSettingsText('{', 'x.json')).toThrow('x.json is not JSON');
    expect(() => readSettingsText(JSON.stringify({ ...file, capacity: 0 }), 'x.json')).toThrow('x.json: capacity must');
  });

  it.each([
    [{ hours: ['25:00-06:00'] }, 'hours[0]'],
    [{ sandbox: 'podman' }, 'sandbox'],
    [{ policy: 'none' }, 'policy'],
    [{ memory_share: 1.5 }, 'memory_share'],
    [{ idle_load: 0 }, 'idle_load'],
    [{ battery_percent: 101 }, 'battery_percent'],
    [{ max_celsius: 5 }, 'max_celsius'],
    [{ max_hours: 169 }, 'max_hours'],
    [{ egress: 'yes' }, 'egress'],
    [{ docker_socket: 'a\nb' }, 'docker_socket'],
  ])('refuse %j', (value, path) => {
    expect(faultsOf(() => readSettings(value))).toMatchObject([{ path }]);
  });
});
