import * as fc from 'fast-check';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isSafePath } from '@assay/core';
import { conformanceLimits } from '@assay/core/conformance';
import { collector } from './collector.ts';
import { FrameViolation, frameReader, type Frame } from './frames.ts';
import { frameBytes, frameKinds, type FrameKind } from '../wasm/guest/wire.ts';
import { QuotaExceeded } from './output-store.ts';

function bytesOf(kind: number, payload: Uint8Array): Buffer {
  const head = Buffer.alloc(5);
  head[0] = kind;
  head.writeUInt32BE(payload.length, 1);
  return Buffer.concat([head, payload]);
}

function fileHeader(path: string, sizeBytes: number): Buffer {
  const head = Buffer.alloc(6);
  head.writeUIntBE(sizeBytes, 0, 6);
  return Buffer.concat([head, Buffer.from(path)]);
}

const kind = fc.constantFrom<FrameKind[]>(...Object.values(frameKinds));
const frames = fc.array(fc.record({ kind, payload: fc.uint8Array({ maxLength: 200 }) }), { maxLength: 20 });

describe('the frame reader', () => {
  it('reads back what was written, wherever the stream is cut', () => {
    fc.assert(
      fc.property(frames, fc.array(fc.nat(300)), (sent, cuts) => {
        const bytes = Buffer.concat(sent.map((frame) => bytesOf(frame.kind, frame.payload)));
        const reader = frameReader();
        const read: Frame[] = [];
        let at = 0;
        for (const cut of [...cuts, bytes.length]) {
          read.push(...reader.push(bytes.subarray(at, at + cut)));
          at = Math.min(bytes.length, at + cut);
        }
        expect(read.map((frame) => [frame.kind, [...frame.payload]])).toEqual(
          sent.map((frame) => [frame.kind, [...frame.payload]]),
        );
        expect(reader.pendingBytes()).toBe(0);
      }),
    );
  });

  it('never holds back more than a frame, and refuses what is none', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 2000 })), (chunks) => {
        const reader = frameReader();
        try {
          for (const chunk of chunks) reader.push(chunk);
        } catch (error) {
          expect(error).toBeInstanceOf(FrameViolation);
        }
        expect(reader.pendingBytes()).toBeLessThan(frameBytes + 5);
      }),
    );
    expect(() => frameReader().push(bytesOf(8, Buffer.alloc(0)))).toThrow(FrameViolation);
    expect(() => frameReader().push(bytesOf(2, Buffer.alloc(frameBytes + 1)))).toThrow(FrameViolation);
  });
});

describe('the collector', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'assay-frames-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  const path = fc.oneof(fc.string({ maxLength: 30 }), fc.constantFrom('a', 'A', 'a/b', '../x', '__proto__', '/etc/x'));
  const anyFrame = fc.oneof(
    fc.record({ kind, payload: fc.uint8Array({ maxLength: 40 }) }),
    fc.constantFrom(
      { kind: frameKinds.ready, payload: Buffer.alloc(0) },
      { kind: frameKinds.done, payload: Buffer.alloc(0) },
    ),
    fc.constant({ kind: frameKinds.ended, payload: Buffer.alloc(5) }),
    fc.tuple(path, fc.nat(40)).map(([name, size]) => ({ kind: frameKinds.file, payload: fileHeader(name, size) })),
  );
  const opening = [
    { kind: frameKinds.ready, payload: Buffer.alloc(0) },
    { kind: frameKinds.ended, payload: Buffer.alloc(5) },
  ];

  it('stores only safe names under their hashes, whatever it is sent', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyFrame, { maxLength: 30 }), fc.boolean(), async (sent, orderly) => {
        const sink = collector(folder, conformanceLimits, () => {});
        try {
          for (const frame of orderly ? [...opening, ...sent] : sent) await sink.take(frame);
        } catch (error) {
          expect(error instanceof FrameViolation || error instanceof QuotaExceeded).toBe(true);
        }
        await sink.close();
        const { outputs } = sink.result();
        expect(outputs.every((file) => isSafePath(file.path))).toBe(true);
        const lower = outputs.map((file) => file.path.toLowerCase());
        expect(new Set(lower).size).toBe(lower.length);
        expect(outputs.length).toBeLessThanOrEqual(conformanceLimits.outputFiles);
        for (const name of await readdir(folder)) expect(name).toMatch(/^(?:incoming|[0-9a-f]{64})$/);
      }),
      { numRuns: 400 },
    );
  });
});
