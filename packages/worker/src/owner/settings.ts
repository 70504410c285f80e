/** What the owner of a machine allows, as the settings file in the worker's state folder says it. Strictly read. */

import {
  decimalShape,
  described,
  flagShape,
  integerShape,
  limits,
  listShape,
  oneOfShape,
  recordShape,
  refuse,
  textShape,
  withDefault,
  type Shape,
  type ShapeFault,
  type ShapeOf,
} from '@assay/core';
import { windowShape } from './hours.ts';

const line = { pattern: '^[^\\u0000-\\u001f\\u007f]*$', rule: 'plain text', min: 1 } as const;

/** The keys with their bounds, defaults and meaning: the file's parser, the flags of the command, the reference page. */
export const settingFields = {
  capacity: described('Units that run at once.', withDefault(integerShape(1, limits.workerReplicas), 1)),
  sandbox: described(
    'Where units run: in WebAssembly, in Docker, or in both.',
    withDefault(oneOfShape(['wasm', 'docker', 'all']), 'all'),
  ),
  prefer: described(
    'Which of both runs a runner that both have.',
    withDefault(oneOfShape(['docker', 'wasm']), 'docker'),
  ),
  policy: described(
    'How Docker runs units: on gVisor, on gVisor without any egress (`confidential`), or on plain runc (`trusted`).',
    withDefault(oneOfShape(['trusted', 'default', 'confidential']), 'default'),
  ),
  docker_socket: described(
    'The socket of the Docker Engine.',
    withDefault(textShape({ ...line, max: 200 }), '/var/run/docker.sock'),
  ),
  warm: described(
    'Sandboxes of each runner that wait started, so that a unit starts at once; each keeps its memory.',
    withDefault(integerShape(0, 128), 0),
  ),
  egress: described(
    'Whether units may connect to the hosts that their manifest names; each connection is logged.',
    withDefault(flagShape(), false),
  ),
  hours: described(
    'When the worker takes work, local time, such as 22:00-06:00 or sat,sun 00:00-24:00; always when empty.',
    withDefault(listShape(windowShape, 32), []),
  ),
  cpu_share: described('The share of the cores that units may keep busy.', withDefault(decimalShape(0.05, 1), 1)),
  memory_share: described('The share of the memory that units may fill.', withDefault(decimalShape(0.05, 1), 0.8)),
  disk_gb: described(
    'GiB on this disk for inputs, results and scratch together.',
    withDefault(decimalShape(1, 100_000), 8),
  ),
  max_hours: described(
    'The longest run that the worker takes, in hours.',
    withDefault(decimalShape(limits.timeoutHoursMin, limits.timeoutHours), limits.timeoutHours),
  ),
} as const;

/** Keys that stand for a limit only where they are named. */
export const optionalSettingFields = {
  idle_load: described(
    'Takes work only while other programs keep less than this share of the cores busy (idle only: 0.2).',
    decimalShape(0.01, 10),
  ),
  battery_percent: described(
    'On battery, takes work only above this charge; 100 means only on mains. A machine without a battery has no limit.',
    integerShape(1, 100),
  ),
  max_celsius: described('Takes no work while the hottest sensor is above it.', integerShape(20, 150)),
  images_dir: described(
    'Where `assay images build` put the images of the runners; by default ASSAY_IMAGES_DIR, else ~/.cache/assay/images.',
    textShape({ ...line, max: 500 }),
  ),
  runners: described(
    'The only runners that the worker offers; all that its sandboxes have when left out.',
    listShape(textShape({ ...line, max: limits.runnerChars }), 50),
  ),
} as const;

const shape = recordShape(settingFields, optionalSettingFields);

export type WorkerSettings = ShapeOf<typeof shape>;

/** What is asked of an owner who says nothing. */
export const usualSettings: WorkerSettings = readSettings({});

/** Reads settings of unknown shape; refuses `config.invalid` with every fault in `details.faults`. */
export function readSettings(value: unknown): WorkerSettings {
  return readWith(shape, value);
}

export interface Membership {
  /** The market. */
  readonly url: string;
  /** What people call this device. */
  readonly name: string;
}

const fileShape = recordShape(
  {
    url: textShape({ pattern: '^https?://[^\\s]+$', rule: 'a URL', max: 500 }),
    name: textShape({ ...line, max: 100 }),
    ...settingFields,
  },
  optionalSettingFields,
);

/** The settings file's content. */
export type SettingsFile = Membership & WorkerSettings;

/** Reads the text of the settings file `path`, which a refusal names; refuses as `readSettings`. */
export function readSettingsText(text: string, path: string): SettingsFile {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw refuse('config.invalid', `${path} is not JSON: ${error instanceof Error ? error.message : ''}`);
  }
  return readWith(fileShape, value, `${path}: `);
}

function readWith<T>(one: Shape<T>, value: unknown, where = ''): T {
  const faults: ShapeFault[] = [];
  const read = one.read(value, '', (fault) => faults.push(fault));
  if (read !== undefined && faults.length === 0) return read;
  const text = faults.map((fault) => `${fault.path || 'the settings'} ${fault.message}`).join('; ');
  throw refuse('config.invalid', `${where}${text}`, { faults: faults.map(({ path, message }) => ({ path, message })) });
}
