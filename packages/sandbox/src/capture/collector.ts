/** Follows one unit's frames in the only order that is allowed: ready, log text, the ending, files, done. */

import type { LogSink, SandboxLimits, TreeFile } from '@assay/core';
import { FrameViolation, type Frame } from './frames.ts';
import { frameKinds } from '../wasm/guest/wire.ts';
import { outputStore, QuotaExceeded } from './output-store.ts';

type Phase = 'starting' | 'running' | 'collecting' | 'done';

interface Collected {
  /** Whether the child says that its job called a sealed import. */
  readonly sealBroken: boolean;
  readonly exitCode: number;
  readonly outputs: readonly TreeFile[];
}

export interface Collector {
  /** Takes the next frame; throws `FrameViolation` or `QuotaExceeded`. */
  take(frame: Frame): Promise<void>;
  phase(): Phase;
  result(): Collected;
  /** Closes what is open; safe at any time. */
  close(): Promise<void>;
}

/** A collector that stores captured files in `folder`, which exists, and streams text to `log`. */
export function collector(folder: string, bounds: SandboxLimits, log: LogSink): Collector {
  let phase: Phase = 'starting';
  let sealBroken = false;
  let exitCode = 0;
  const text = cappedText(bounds.logBytes, log);
  const store = outputStore(folder, bounds);
  const end = (payload: Uint8Array) => {
    demand(phase === 'running' && payload.length === 5, 'ended out of turn');
    sealBroken = payload[0] === 1;
    exitCode = Buffer.from(payload).readInt32BE(1) & 0xff;
    phase = 'collecting';
  };
  return {
    async take({ kind, payload }) {
      switch (kind) {
        case frameKinds.ready:
          demand(phase === 'starting' && payload.length === 0, 'ready out of turn');
          phase = 'running';
          return;
        case frameKinds.stdout:
        case frameKinds.stderr:
          demand(phase === 'running', 'log out of turn');
          text.say(kind === frameKinds.stdout ? 'stdout' : 'stderr', payload);
          return;
        case frameKinds.ended:
          end(payload);
          return;
        case frameKinds.file: {
          demand(phase === 'collecting', 'file out of turn');
          const dropped = await store.start(payload);
          if (dropped !== undefined) text.say('stderr', Buffer.from(`not captured: ${JSON.stringify(dropped)}\n`));
          return;
        }
        case frameKinds.data:
          demand(phase === 'collecting', 'data out of turn');
          await store.append(payload);
          return;
        case frameKinds.done:
          demand(phase === 'collecting' && !store.unfinished() && payload.length === 0, 'done out of turn');
          phase = 'done';
      }
    },
    phase: () => phase,
    result: () => ({ sealBroken, exitCode, outputs: store.files() }),
    async close() {
      text.flush();
      await store.close();
    },
  };
}

function demand(condition: boolean, what: string): void {
  if (!condition) throw new FrameViolation(what);
}

/** Decodes both streams, which share one bound in bytes. */
function cappedText(maxBytes: number, log: LogSink) {
  let bytes = 0;
  const decoders = { stdout: new TextDecoder(), stderr: new TextDecoder() };
  const pass = (stream: 'stdout' | 'stderr', text: string) => {
    if (text !== '') log(stream, text);
  };
  return {
    say(stream: 'stdout' | 'stderr', payload: Uint8Array) {
      bytes += payload.length;
      if (bytes > maxBytes) throw new QuotaExceeded('log');
      pass(stream, decoders[stream].decode(payload, { stream: true }));
    },
    flush() {
      pass('stdout', decoders.stdout.decode());
      pass('stderr', decoders.stderr.decode());
    },
  };
}
