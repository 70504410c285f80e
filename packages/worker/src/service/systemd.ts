/** A worker as a unit of systemd: a user of its own, and as little of the machine as it needs. */

import { join } from 'node:path';
import { commandOf, serviceId, type ServicePlan, type ServiceSpec } from './service.ts';

/** A word of a unit file: specifiers, variables and quotes are text. */
function word(text: string): string {
  const escaped = text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('%', '%%').replaceAll('$', '$$$$');
  return /^[A-Za-z0-9@%_+=:,./-]+$/.test(text) ? escaped : `"${escaped}"`;
}

/** A path in a list of paths, where no variables are read. */
const path = (text: string): string => `"${text.replaceAll(/["\\]/g, '\\$&').replaceAll('%', '%%')}"`;

/** What systemd can hold of the owner's shares; units in Docker are held by Docker. */
function shares({ settings, cores, memoryBytes }: ServiceSpec): string[] {
  const { cpu_share: cpu, memory_share: memory } = settings;
  return [
    `CPUQuota=${Math.max(5, Math.round(cpu * cores * 100))}%`,
    // The agent itself needs some beside the units.
    `MemoryMax=${Math.round(memory * memoryBytes) + 512 * 1024 ** 2}`,
  ];
}

/**
 * What only the manager of the whole machine may take away from a service, which needs namespaces of its own: one of
 * a user's manager would not start on every kernel.
 */
function walls(spec: ServiceSpec): string[] {
  const inHome = /^\/(?:home|root)\//.test(`${spec.checkout}/`);
  return [
    ...(spec.user === undefined ? [] : [`User=${spec.user}`, `Group=${spec.user}`]),
    ...(spec.docker ? ['SupplementaryGroups=docker'] : []),
    'ProtectSystem=strict',
    `ProtectHome=${inHome ? 'read-only' : 'yes'}`,
    `ReadWritePaths=${path(spec.folder)}`,
    'PrivateTmp=yes',
    'PrivateDevices=yes',
    'ProtectClock=yes',
    'ProtectControlGroups=yes',
    'ProtectHostname=yes',
    'ProtectKernelLogs=yes',
    'ProtectKernelModules=yes',
    'ProtectKernelTunables=yes',
    'CapabilityBoundingSet=',
    'AmbientCapabilities=',
    'RestrictNamespaces=yes',
    'RemoveIPC=yes',
  ];
}

/** The unit's text. */
export function systemdUnit(spec: ServiceSpec): string {
  const whole = spec.user !== undefined;
  return [
    '[Unit]',
    `Description=Assay worker ${spec.name.replaceAll('%', '%%')}`,
    'After=network-online.target docker.service',
    'Wants=network-online.target',
    '',
    '[Service]',
    `ExecStart=${commandOf(spec).map(word).join(' ')}`,
    `Environment=${word(`ASSAY_STATE_DIR=${spec.stateDir}`)}`,
    // What runs is given back before the end; children that outlive the agent end with it.
    'KillMode=mixed',
    'TimeoutStopSec=60',
    'Restart=on-failure',
    'RestartSec=15',
    'UMask=0077',
    'Nice=10',
    'IOSchedulingClass=idle',
    'OOMScoreAdjust=500',
    'TasksMax=4096',
    ...shares(spec),
    'NoNewPrivileges=yes',
    'LockPersonality=yes',
    'RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK',
    'RestrictRealtime=yes',
    'RestrictSUIDSGID=yes',
    'SystemCallArchitectures=native',
    'SystemCallFilter=@system-service',
    'SystemCallErrorNumber=EPERM',
    ...(whole ? walls(spec) : []),
    '',
    '[Install]',
    `WantedBy=${whole ? 'multi-user.target' : 'default.target'}`,
    '',
  ].join('\n');
}

/** Where the unit goes and how systemd takes it up. `home` is that of the user who installs. */
export function systemdPlan(spec: ServiceSpec, home: string): ServicePlan {
  const id = `${serviceId(spec.name)}.service`;
  const whole = spec.user !== undefined;
  const control = whole ? ['systemctl'] : ['systemctl', '--user'];
  return {
    id,
    path: whole ? `/etc/systemd/system/${id}` : join(home, '.config', 'systemd', 'user', id),
    content: systemdUnit(spec),
    encoding: 'utf8',
    stop: [[...control, 'disable', '--now', id]],
    reload: [[...control, 'daemon-reload']],
    ensure: [[...control, 'enable', '--now', id]],
  };
}
