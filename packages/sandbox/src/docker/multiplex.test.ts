import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { splitter } from './multiplex.ts';

describe('the daemon’s stream', () => {
  it('comes apart into the streams that went in, wherever it is cut', () => {
    const message = fc.record({ stream: fc.constantFrom(1, 2), bytes: fc.uint8Array({ maxLength: 40 }) });
    fc.assert(
      fc.property(fc.array(message), fc.array(fc.nat(30)), (messages, cuts) => {
        const whole = Buffer.concat(
          messages.flatMap(({ stream, bytes }) => {
            const head = Buffer.from([stream, 0, 0, 0, 0, 0, 0, 0]);
            head.writeUInt32BE(bytes.length, 4);
            return [head, bytes];
          }),
        );
        const split = splitter();
        const found: Record<number, Buffer[]> = { 1: [], 2: [] };
        let at = 0;
        for (const cut of [...cuts, whole.length]) {
          for (const { stream, bytes } of split(whole.subarray(at, at + cut))) found[stream]?.push(bytes);
          at = Math.min(whole.length, at + cut);
        }
        for (const stream of [1, 2]) {
          const sent = messages.filter((one) => one.stream === stream).map((one) => one.bytes);
          expect(Buffer.concat(found[stream] ?? [])).toEqual(Buffer.concat(sent));
        }
      }),
    );
  });
});
