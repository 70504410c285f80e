/** What the collector is told of a unit: the command by the kind of its entry point, and all that belongs to it. */

import { limits, type SandboxUnit } from '@assay/core';
import { baseEnvironment } from './container-body.ts';
import { fields } from './wire.ts';

/** The programs that an image can run, by the entry point's ending. */
export const programs = { python: '.py', r: '.R', shell: '.sh' } as const;
export type Program = keyof typeof programs;

export function programOf(entryPoint: string): Program | undefined {
  return (Object.keys(programs) as Program[]).find((program) => entryPoint.endsWith(programs[program]));
}

const pythonStart = ['/usr/bin/python3', '-s', '-B', '-X', 'utf8', '/platform/python-start.py'];

/** Imports what most units need before it asks for its unit. */
const pythonAhead = [...pythonStart, 'ahead'];

/** What a container starts before its unit comes: Python with what most units import. */
export function aheadOf(program: Program): readonly string[] {
  return program === 'python' ? pythonAhead : [];
}

/** Where a proxy for the unit's connections listens inside the container. */
export const proxyPort = 3128;

function environmentOf(unit: SandboxUnit): Record<string, string> {
  const proxy = `http://127.0.0.1:${proxyPort}`;
  const egress = (unit.network?.length ?? 0) > 0;
  return {
    ...baseEnvironment,
    ...(egress ? { HTTP_PROXY: proxy, HTTPS_PROXY: proxy, http_proxy: proxy, https_proxy: proxy } : {}),
    ...unit.environment,
    // Two hash seeds in one program would be a riddle, so a unit's seed goes before what the environment says.
    ...(unit.randomSeed === undefined ? {} : { PYTHONHASHSEED: String(unit.randomSeed % 2 ** 32) }),
  };
}

function commandOf(program: Program, unit: SandboxUnit, mode: Start['mode']): readonly string[] {
  if (program === 'python') return mode === 'ahead' ? pythonAhead : pythonStart;
  const [interpreter, ...flags] = program === 'r' ? ['/usr/bin/Rscript', '--vanilla'] : ['/bin/sh'];
  return [interpreter ?? '', ...flags, unit.entryPoint, ...unit.args];
}

/** The order of a command that comes with the image and needs nothing. */
export function plainOrder(command: readonly string[], unit: SandboxUnit): Buffer {
  return assemble({ mode: 'fresh', blob: Buffer.alloc(0), command, environment: baseEnvironment }, unit);
}

interface Start {
  /** `ahead`: by the interpreter that imports first, whether it waits already or is started now, so that no result hangs on which. */
  readonly mode: 'ahead' | 'fresh';
  readonly blob: Buffer;
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

/** Whether an interpreter that started with the base environment is what one with these variables would be. */
function isPlain(variables: Readonly<Record<string, string>>): boolean {
  return Object.entries(variables).every(
    ([name, value]) => name.startsWith('ASSAY_') || baseEnvironment[name] === value,
  );
}

/** The order's payload. */
export function orderOf(program: Program, unit: SandboxUnit): Buffer {
  const environment = environmentOf(unit);
  const variables = Object.entries(environment).map((pair) => pair.join('='));
  const python = [unit.entryPoint, unit.randomSeed ?? '', unit.epochMs ?? '', unit.args.length, ...unit.args];
  const blob = program === 'python' ? fields([...python, ...variables]) : Buffer.alloc(0);
  const plain = program === 'python' && unit.randomSeed === undefined && isPlain(unit.environment);
  const mode = plain ? 'ahead' : 'fresh';
  return assemble({ mode, blob, command: commandOf(program, unit, mode), environment }, unit);
}

function assemble({ mode, blob, command, environment }: Start, unit: SandboxUnit): Buffer {
  const variables = Object.entries(environment).map((pair) => pair.join('='));
  const { scratchBytes } = unit.limits;
  return Buffer.concat([
    fields([mode, unit.outputDir, scratchBytes, limits.sandboxScratchFiles]),
    fields([(unit.network?.length ?? 0) > 0 ? proxyPort : '']),
    lengthAnd(blob),
    fields([command.length, variables.length, ...command, ...variables]),
    fields(unit.inputs.flatMap(({ path, sizeBytes }) => [path, sizeBytes])),
  ]);
}

function lengthAnd(bytes: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}
