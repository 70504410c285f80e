/** A worker as an agent or a daemon of launchd. */

import { posix } from 'node:path';
import { commandOf, serviceId, type ServicePlan, type ServiceSpec } from './service.ts';
import { xml } from './xml.ts';

const strings = (items: readonly string[]) => items.map((item) => `    <string>${xml(item)}</string>`);

/** The property list. */
export function launchdPlist(spec: ServiceSpec): string {
  const log = posix.join(spec.stateDir, 'worker.log');
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">',
    '<plist version="1.0">',
    '<dict>',
    '  <key>Label</key>',
    `  <string>${labelOf(spec)}</string>`,
    '  <key>ProgramArguments</key>',
    '  <array>',
    ...strings(commandOf(spec)),
    '  </array>',
    '  <key>EnvironmentVariables</key>',
    '  <dict>',
    '    <key>ASSAY_STATE_DIR</key>',
    `    <string>${xml(spec.stateDir)}</string>`,
    '  </dict>',
    ...(spec.user === undefined ? [] : ['  <key>UserName</key>', `  <string>${xml(spec.user)}</string>`]),
    '  <key>RunAtLoad</key>',
    '  <true/>',
    '  <key>KeepAlive</key>',
    '  <dict>',
    '    <key>SuccessfulExit</key>',
    '    <false/>',
    '  </dict>',
    '  <key>ThrottleInterval</key>',
    '  <integer>15</integer>',
    '  <key>ExitTimeOut</key>',
    '  <integer>60</integer>',
    '  <key>ProcessType</key>',
    '  <string>Background</string>',
    '  <key>LowPriorityIO</key>',
    '  <true/>',
    '  <key>Nice</key>',
    '  <integer>10</integer>',
    '  <key>Umask</key>',
    '  <integer>63</integer>',
    '  <key>StandardOutPath</key>',
    `  <string>${xml(log)}</string>`,
    '  <key>StandardErrorPath</key>',
    `  <string>${xml(log)}</string>`,
    '</dict>',
    '</plist>',
    '',
  ].join('\n');
}

function labelOf({ name }: ServiceSpec): string {
  return serviceId(name).replaceAll('-', '.');
}

/** Where the list goes and how launchd takes it up, for the user `uid` or the whole machine. */
export function launchdPlan(spec: ServiceSpec, home: string, uid: number): ServicePlan {
  const label = labelOf(spec);
  const whole = spec.user !== undefined;
  const domain = whole ? 'system' : `gui/${uid}`;
  const path = whole
    ? `/Library/LaunchDaemons/${label}.plist`
    : posix.join(home, 'Library', 'LaunchAgents', `${label}.plist`);
  return {
    id: label,
    path,
    content: launchdPlist(spec),
    encoding: 'utf8',
    stop: [['launchctl', 'bootout', `${domain}/${label}`]],
    reload: [],
    ensure: [['launchctl', 'bootstrap', domain, path]],
  };
}
