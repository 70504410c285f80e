/** A sandbox's process that has loaded its interpreter and waits for the one unit that it will run. */

import { Fault, limits } from '@assay/core';
import { frameReader, type Frame } from '../capture/frames.ts';
import { spawnChild, type Child } from './child.ts';
import { frameKinds } from './guest/wire.ts';
import { openRunFolder, type RunFolder } from './run-folder.ts';
import type { Runtime } from './runtime.ts';

export interface IdleChild {
  readonly child: Child;
  /** What it says after `ready`. */
  readonly frames: AsyncGenerator<Frame>;
  readonly folder: RunFolder;
}

/** The frames that the child writes; throws `FrameViolation` where it breaks the protocol. */
export async function* framesOf(child: Child): AsyncGenerator<Frame> {
  const reader = frameReader();
  for await (const chunk of child.frames) yield* reader.push(chunk as Uint8Array);
}

/** Starts a process and resolves when it waits; faults `sandbox.fault` where it does not come so far. */
export async function startIdle(workDir: string, name: string, runtime: Runtime): Promise<IdleChild> {
  const folder = await openRunFolder(workDir, `idle-${name}`);
  const child = spawnChild(runtime, { cpuSeconds: limits.sandboxIdleCpuSeconds, mode: 'wait' });
  const clock = setTimeout(() => void child.destroy(), limits.sandboxStartMs);
  try {
    await folder.remember(child.pid);
    const frames = framesOf(child);
    const first = await frames.next();
    if (first.done !== true && first.value.kind === frameKinds.ready) return { child, frames, folder };
    throw new Fault('sandbox.fault', `the interpreter did not start: ${child.stderrTail().slice(-500)}`, {
      retry: true,
    });
  } catch (error) {
    await child.destroy();
    await folder.remove();
    throw error;
  } finally {
    clearTimeout(clock);
  }
}
