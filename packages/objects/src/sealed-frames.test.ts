import { describe, expect, it } from 'vitest';
import { keyringOf } from './keyring.ts';
import { frameBytes, headerBytes, newHeader, opener, plainSize, sealedFrameBytes, sealer } from './sealed-frames.ts';

const keys = keyringOf({ ru: '1'.repeat(64), eu: '2'.repeat(64), us: '3'.repeat(64), cn: '4'.repeat(64) });
const corrupt = expect.objectContaining({ code: 'object.corrupt' });

describe('a frame', () => {
  const header = newHeader();
  const seal = sealer(keys.eu, header);
  const first = seal.seal(Buffer.from('first'), false);
  const second = seal.seal(Buffer.from('second'), true);

  it('opens at its place only', () => {
    const open = opener(keys.eu, header);
    expect(open.open(first, false).toString()).toBe('first');
    expect(open.open(second, true).toString()).toBe('second');
    expect(() => opener(keys.eu, header).open(second, true)).toThrow(corrupt);
  });

  it('does not open as the last when it is not, nor the other way round', () => {
    expect(() => opener(keys.eu, header).open(first, true)).toThrow(corrupt);
    const open = opener(keys.eu, header);
    open.open(first, false);
    expect(() => open.open(second, false)).toThrow(corrupt);
  });

  it('does not open under another header, another region or cut short', () => {
    expect(() => opener(keys.eu, newHeader()).open(first, false)).toThrow(corrupt);
    expect(() => opener(keys.us, header).open(first, false)).toThrow(corrupt);
    expect(() => opener(keys.eu, header).open(first.subarray(0, 15), false)).toThrow(corrupt);
    expect(() => opener(keys.eu, header).open(Buffer.alloc(0), false)).toThrow(corrupt);
  });

  it('needs a header of ours', () => {
    expect(() => opener(keys.eu, header.subarray(1))).toThrow(corrupt);
    expect(() => opener(keys.eu, Buffer.concat([header, header]))).toThrow(corrupt);
    expect(() => opener(keys.eu, Buffer.alloc(headerBytes))).toThrow(corrupt);
  });
});

describe('the size of an object', () => {
  it('follows from the size of its file, and other file sizes are no object’s', () => {
    const tag = sealedFrameBytes - frameBytes;
    const sizes = new Map<number, number>([[headerBytes + tag, 0]]);
    for (let frames = 0; frames < 3; frames += 1) {
      for (let last = 1; last <= frameBytes; last += 1) {
        sizes.set(headerBytes + frames * sealedFrameBytes + last + tag, frames * frameBytes + last);
      }
    }
    for (let file = 0; file <= headerBytes + 3 * sealedFrameBytes; file += 1) {
      if (plainSize(file) !== sizes.get(file)) expect(plainSize(file), `a file of ${file} bytes`).toBe(sizes.get(file));
    }
    expect(plainSize(headerBytes + 3 * sealedFrameBytes)).toBe(3 * frameBytes);
  });
});
