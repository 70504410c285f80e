/** A worker as a task of the Windows Task Scheduler, of the user who installs it and without any right of an administrator. */

import { win32 } from 'node:path';
import { commandOf, serviceId, type ServicePlan, type ServiceSpec } from './service.ts';
import { xml } from './xml.ts';

/** An argument as the C runtime of Windows splits it again. */
function quoted(argument: string): string {
  if (/^[^\s"]+$/.test(argument)) return argument;
  return `"${argument.replaceAll(/(\\*)"/g, '$1$1\\"').replaceAll(/(\\+)$/g, '$1$1')}"`;
}

/** The task's description. `userId` is `DOMAIN\user`, whose sign-in starts it. */
export function windowsTask(spec: ServiceSpec, userId: string): string {
  const [node = '', ...rest] = commandOf(spec);
  // Tasks have no environment of their own, so the state folder comes as an argument.
  const args = [...rest, '--state', spec.stateDir].map(quoted).join(' ');
  return [
    '<?xml version="1.0" encoding="UTF-16"?>',
    '<Task version="1.4" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">',
    '  <RegistrationInfo>',
    `    <Description>Assay worker ${xml(spec.name)}</Description>`,
    '  </RegistrationInfo>',
    '  <Triggers>',
    '    <LogonTrigger>',
    `      <UserId>${xml(userId)}</UserId>`,
    '    </LogonTrigger>',
    '  </Triggers>',
    '  <Principals>',
    '    <Principal id="Owner">',
    `      <UserId>${xml(userId)}</UserId>`,
    '      <LogonType>InteractiveToken</LogonType>',
    '      <RunLevel>LeastPrivilege</RunLevel>',
    '    </Principal>',
    '  </Principals>',
    '  <Settings>',
    '    <MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy>',
    // The worker's own settings say what it does on battery.
    '    <DisallowStartIfOnBatteries>false</DisallowStartIfOnBatteries>',
    '    <StopIfGoingOnBatteries>false</StopIfGoingOnBatteries>',
    '    <StartWhenAvailable>true</StartWhenAvailable>',
    '    <RunOnlyIfNetworkAvailable>true</RunOnlyIfNetworkAvailable>',
    '    <ExecutionTimeLimit>PT0S</ExecutionTimeLimit>',
    '    <Priority>7</Priority>',
    '    <RestartOnFailure>',
    '      <Interval>PT1M</Interval>',
    '      <Count>255</Count>',
    '    </RestartOnFailure>',
    '  </Settings>',
    '  <Actions Context="Owner">',
    '    <Exec>',
    `      <Command>${xml(node)}</Command>`,
    `      <Arguments>${xml(args)}</Arguments>`,
    `      <WorkingDirectory>${xml(spec.checkout)}</WorkingDirectory>`,
    '    </Exec>',
    '  </Actions>',
    '</Task>',
    '',
  ].join('\r\n');
}

/** Where the description goes and how the scheduler takes it up. */
export function windowsPlan(spec: ServiceSpec, userId: string): ServicePlan {
  const id = `\\Assay\\${serviceId(spec.name)}`;
  const path = win32.join(spec.stateDir, `${serviceId(spec.name)}.xml`);
  return {
    id,
    path,
    content: `\ufeff${windowsTask(spec, userId)}`,
    encoding: 'utf16le',
    stop: [
      ['schtasks', '/End', '/TN', id],
      ['schtasks', '/Delete', '/F', '/TN', id],
    ],
    reload: [],
    ensure: [
      ['schtasks', '/Create', '/F', '/TN', id, '/XML', path],
      ['schtasks', '/Run', '/TN', id],
    ],
  };
}
