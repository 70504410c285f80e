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

/** A run of a unit with two files, as its child would write it. */
const soundRun = Buffer.concat([
  bytesOf(frameKinds.ready, Buffer.alloc(0)),
  bytesOf(frameKinds.stdout, Buffer.from('said\n')),
  bytesOf(frameKinds.stderr, Buffer.from('warned\n')),
  bytesOf(frameKinds.ended, Buffer.from([0, 0, 0, 0, 0])),
  bytesOf(frameKinds.file, fileHeader('a/b.txt', 5)),
  bytesOf(frameKinds.data, Buffer.from('hel')),
  bytesOf(frameKinds.data, Buffer.from('lo')),
  bytesOf(frameKinds.file, fileHeader('empty', 0)),
  bytesOf(frameKinds.done, Buffer.alloc(0)),
]);

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

  /** Reads a stream to its end and says what came of it. */
  async function collected(bytes: Buffer): Promise<{ phase: string; paths: readonly string[] }> {
    const sink = collector(folder, conformanceLimits, () => {});
    const reader = frameReader();
    try {
      for (const frame of reader.push(bytes)) await sink.take(frame);
    } catch (error) {
      if (!(error instanceof FrameViolation || error instanceof QuotaExceeded)) throw error;
    }
    await sink.close();
    expect(reader.pendingBytes()).toBeLessThan(frameBytes + 5);
    return { phase: sink.phase(), paths: sink.result().outputs.map((file) => file.path) };
  }

  it('takes a sound run, and none that is cut short at any byte', async () => {
    expect(await collected(soundRun)).toEqual({ phase: 'done', paths: ['a/b.txt', 'empty'] });
    for (let length = 0; length < soundRun.length; length += 1) {
      expect((await collected(soundRun.subarray(0, length))).phase).not.toBe('done');
    }
  });

  it('takes nothing after the end', async () => {
    for (const kindOf of Object.values(frameKinds)) {
      const sink = collector(folder, conformanceLimits, () => {});
      for (const frame of frameReader().push(soundRun)) await sink.take(frame);
      await expect(sink.take({ kind: kindOf, payload: Buffer.alloc(0) })).rejects.toBeInstanceOf(FrameViolation);
      await sink.close();
    }
  });

  it.each([0xffffffff, 0x80000000, frameBytes + 1])('refuses a length of %d before it holds a byte of it', (length) => {
    const head = Buffer.from([frameKinds.stdout, 0, 0, 0, 0]);
    head.writeUInt32BE(length, 1);
    expect(() => frameReader().push(head)).toThrow(FrameViolation);
  });

  it('stands a hundred thousand mutations of a sound run', { timeout: 120_000 }, async () => {
    const mutation = fc.oneof(
      fc.record({ how: fc.constant('set' as const), at: fc.nat(soundRun.length - 1), byte: fc.nat(255) }),
      fc.record({ how: fc.constant('drop' as const), at: fc.nat(soundRun.length - 1), byte: fc.nat(20) }),
      fc.record({ how: fc.constant('double' as const), at: fc.nat(soundRun.length - 1), byte: fc.nat(40) }),
    );
    let files = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(mutation, { minLength: 1, maxLength: 4 }), async (mutations) => {
        let bytes = Buffer.from(soundRun);
        for (const { how, at, byte } of mutations) {
          const [before, after] = [bytes.subarray(0, at), bytes.subarray(at)];
          if (how === 'set' && bytes.length > at) bytes[at] = byte;
          else if (how === 'drop') bytes = Buffer.concat([before, after.subarray(byte)]);
          else bytes = Buffer.concat([before, after.subarray(0, byte), after]);
        }
        // The file system is not what is tried here: runs that would store nothing are the cheap ones.
        const reader = frameReader();
        try {
          reader.push(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(FrameViolation);
          return;
        }
        if ((files += 1) > 2000) return;
        const { paths } = await collected(bytes);
        expect(paths.every((name) => isSafePath(name))).toBe(true);
      }),
      { numRuns: 100_000 },
    );
  });
});
