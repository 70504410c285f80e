/** A unit's order and inputs on their way into its container, checked as they go. */

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import type { InputFile } from '@assay/core';
import { frameBytes } from '../wasm/guest/wire.ts';
import type { Cell } from './cell.ts';
import { orderFrame, orderKinds } from './wire.ts';

/** Files up to this size are sent in one piece, so many frames at a time. */
const small = frameBytes;
const framesAtOnce = 16;

/** Sends the order and the inputs; throws where a file is not what its entry says. */
export async function sendAll(cell: Cell, order: Buffer, inputs: readonly InputFile[]): Promise<void> {
  const frames = [orderFrame(orderKinds.order, order)];
  // Small files go together with the order: each piece passes three programs before the collector has it.
  for (const input of inputs) {
    if (input.sizeBytes <= small) frames.push(...(await smallInput(input)));
    else {
      await cell.send(Buffer.concat(frames.splice(0)));
      await sendInput(cell, input);
    }
    if (frames.length > framesAtOnce) await cell.send(Buffer.concat(frames.splice(0)));
  }
  if (frames.length > 0) await cell.send(Buffer.concat(frames));
}

/** The frames of a file that fits into one; none of an empty file. */
async function smallInput(input: InputFile): Promise<Buffer[]> {
  const file = await open(input.hostPath);
  try {
    // One byte more tells a file that is longer than its entry says.
    const { bytesRead, buffer } = await file.read(Buffer.alloc(input.sizeBytes + 1), 0, input.sizeBytes + 1, 0);
    const bytes = buffer.subarray(0, bytesRead);
    if (bytesRead !== input.sizeBytes || createHash('sha256').update(bytes).digest('hex') !== input.sha256) {
      throw otherInput(input);
    }
    return bytesRead === 0 ? [] : [orderFrame(orderKinds.input, bytes)];
  } finally {
    await file.close();
  }
}

function otherInput(input: InputFile): Error {
  return new Error(`the input ${input.path} on this machine is not what the job lists`);
}

/** Streams one input; throws where the file is not what its entry says. */
async function sendInput(cell: Cell, input: InputFile): Promise<void> {
  const hash = createHash('sha256');
  let sent = 0;
  for await (const chunk of createReadStream(input.hostPath, { highWaterMark: frameBytes })) {
    const bytes = chunk as Buffer;
    sent += bytes.length;
    if (sent > input.sizeBytes) break;
    hash.update(bytes);
    await cell.send(orderFrame(orderKinds.input, bytes));
  }
  if (sent !== input.sizeBytes || hash.digest('hex') !== input.sha256) {
    throw otherInput(input);
  }
}
