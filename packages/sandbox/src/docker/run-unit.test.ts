import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { SandboxUnit } from '@assay/core';
import { conformanceLimits } from '@assay/core/conformance';
import { frameKinds } from '../wasm/guest/wire.ts';
import type { Cell } from './cell.ts';
import { noEgress } from './egress.ts';
import { runInCell } from './run-unit.ts';
import { collectorVersion } from './wire.ts';

function frame(kind: number, payload: Uint8Array): Buffer {
  const head = Buffer.alloc(5);
  head[0] = kind;
  head.writeUInt32BE(payload.length, 1);
  return Buffer.concat([head, payload]);
}

const unit: SandboxUnit = {
  label: 'unit',
  runner: 'platform-runner:python',
  entryPoint: 'main.py',
  args: [],
  inputs: [],
  outputDir: 'results',
  environment: {},
  limits: conformanceLimits,
};

/** A container whose collector ends well and then reads nothing any more, as a frozen one. */
function deafCell(): { readonly cell: Cell; readonly done: string[] } {
  const done: string[] = [];
  const frames = [
    frame(frameKinds.ready, Buffer.from(collectorVersion)),
    frame(frameKinds.ended, Buffer.alloc(6)),
    frame(frameKinds.done, Buffer.alloc(0)),
  ];
  let frozen = false;
  const cell: Cell = {
    id: 'one',
    class: {
      runtime: 'runc',
      image: '',
      memoryBytes: 0,
      cpuCores: 1,
      tmpfsBytes: 0,
      tmpfsFiles: 0,
      fileBytes: 0,
      connects: false,
      ahead: [],
    },
    ahead: false,
    pid: 1,
    ready: async () => true,
    alive: () => true,
    next: async () => frames.shift(),
    send: () => (frozen ? new Promise<never>(() => {}) : Promise.resolve()),
    hangUp: () => {},
    complaint: () => '',
    figures: async () => ({ cpuMs: 1, peakBytes: 1, oomKills: 0, pidsRefused: 0 }),
    memoryBytes: () => 0,
    socketBytes: () => 0,
    gone: async () => done.includes('struck'),
    death: async () => undefined,
    async rest() {
      frozen = true;
      return false;
    },
    strike: () => void done.push('struck'),
    kill: async () => {},
    remove: async () => {},
  };
  return { cell, done };
}

it('ends a container that could not be laid to rest though it hears nothing any more', async () => {
  const outputRoot = await mkdtemp(join(tmpdir(), 'assay-run-unit-'));
  const { cell, done } = deafCell();
  const stop = new AbortController().signal;
  const run = { cell, unit, order: Buffer.alloc(0), log: () => {}, stop, outputRoot, egress: noEgress(), askedAt: 0 };
  expect((await runInCell(run)).ending).toEqual({ kind: 'exit', code: 0 });
  expect(done).toEqual(['struck']);
  await rm(outputRoot, { recursive: true });
});
