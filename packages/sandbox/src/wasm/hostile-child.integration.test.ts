import { createHash } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseSha256, type Ending, type SandboxUnit } from '@assay/core';
import { conformanceLimits } from '@assay/core/conformance';
import { kernelWalls } from './kernel-walls.ts';
import { runInChild, type UnitReport } from './run-unit.ts';

/** What a child could do if the job inside had taken it over completely: here it is a script of ours from the start. */
const kit = `
import { writeSync, readSync } from 'node:fs';
export const frame = (kind, payload = Buffer.alloc(0)) => {
  const head = Buffer.alloc(5);
  head[0] = kind;
  head.writeUInt32BE(payload.length, 1);
  return Buffer.concat([head, Buffer.from(payload)]);
};
export const put = (...buffers) => {
  const bytes = Buffer.concat(buffers);
  for (let at = 0; at < bytes.length; ) {
    try { at += writeSync(3, bytes, at); } catch (e) { if (e.code !== 'EAGAIN') throw e; }
  }
};
export const ready = () => { put(frame(1)); try { readSync(0, Buffer.alloc(65536)); } catch {} };
export const ended = (code = 0) => { const p = Buffer.alloc(5); p.writeInt32BE(code, 1); return frame(4, p); };
export const file = (path, size) => { const h = Buffer.alloc(6); h.writeUIntBE(size, 0, 6); return frame(5, Buffer.concat([h, Buffer.from(path)])); };
export const hang = () => { for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000); };
`;
const names = 'frame, put, ready, ended, file, hang';

let folder: string;
let unit: SandboxUnit;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'assay-hostile-'));
  await mkdir(join(folder, 'guest'));
  await writeFile(join(folder, 'guest', 'kit.mjs'), kit);
  await writeFile(join(folder, 'main.py'), 'pass');
  for (const path of ['', 'guest']) await chmod(join(folder, path), 0o755);
  const sha256 = parseSha256(createHash('sha256').update('pass').digest('hex'))!;
  unit = {
    label: 'hostile',
    runner: 'platform-runner:python-3.14',
    entryPoint: 'main.py',
    args: [],
    inputs: [{ path: 'main.py', hostPath: join(folder, 'main.py'), sizeBytes: 4, sha256 }],
    outputDir: 'results',
    environment: {},
    limits: { ...conformanceLimits, wallMs: 4000, memoryBytes: 128 * 1024 * 1024 },
  };
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function runChild(script: string): Promise<UnitReport & { log: string; pid: number }> {
  await writeFile(join(folder, 'guest', 'main.mjs'), `import { ${names} } from './kit.mjs';\n${script}`);
  const outputRoot = join(folder, 'outputs');
  await mkdir(outputRoot);
  let log = '';
  let pid = 0;
  const identity = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : undefined;
  const report = await runInChild({
    runtime: {
      digest: '',
      folder,
      main: 'guest/main.mjs',
      overheadBytes: 320 * 1024 * 1024,
      v8Flags: [],
      node: process.execPath,
      identity,
      walls: await kernelWalls(identity),
    },
    unit,
    log: (_stream, text) => {
      log += text;
    },
    stop: new AbortController().signal,
    outputRoot,
    onSpawn: async (spawned) => {
      pid = spawned;
    },
  });
  return { ...report, log, pid };
}

describe('a child that was taken over', () => {
  it.each<[string, string, Ending]>([
    ['speaks an unknown frame', 'ready(); put(frame(9)); hang()', { kind: 'killed', why: 'policy' }],
    [
      'announces a frame of 4 GiB',
      'ready(); put(Buffer.from([2, 255, 255, 255, 255])); hang()',
      { kind: 'killed', why: 'policy' },
    ],
    ['is ready twice', 'ready(); put(frame(1)); hang()', { kind: 'killed', why: 'policy' }],
    ['ends twice', 'ready(); put(ended(), ended()); hang()', { kind: 'killed', why: 'policy' }],
    ['logs after its end', "ready(); put(ended(), frame(2, 'x')); hang()", { kind: 'killed', why: 'policy' }],
    ['hands out files before its end', "ready(); put(file('x', 0)); hang()", { kind: 'killed', why: 'policy' }],
    [
      'hands out more than it announced',
      "ready(); put(ended(), file('x', 1), frame(6, 'xx')); hang()",
      { kind: 'killed', why: 'policy' },
    ],
    [
      'hands out less than it announced',
      "ready(); put(ended(), file('x', 5), frame(6, 'xx'), frame(7)); hang()",
      { kind: 'killed', why: 'policy' },
    ],
    ['announces a petabyte', "ready(); put(ended(), file('x', 2 ** 47)); hang()", { kind: 'killed', why: 'outputs' }],
    [
      'hands out files without end',
      "ready(); put(ended()); for (let i = 0; ; i++) put(file('f' + i, 0))",
      { kind: 'killed', why: 'outputs' },
    ],
    ['never ends', 'ready(); hang()', { kind: 'killed', why: 'wall' }],
    [
      'fills its heap',
      'ready(); const a = []; for (;;) a.push(Buffer.alloc(1 << 24, 1))',
      { kind: 'killed', why: 'memory' },
    ],
    ['floods the log', "ready(); for (;;) put(frame(2, 'x'.repeat(60000)))", { kind: 'killed', why: 'log' }],
    ['asks to be spared', "process.on('SIGTERM', () => {}); ready(); hang()", { kind: 'killed', why: 'wall' }],
    ['leaves without a word', 'ready(); process.exit(0)', { kind: 'killed', why: 'policy' }],
    ['breaks down', 'ready(); process.abort()', { kind: 'killed', why: 'memory' }],
  ])('%s', async (_what, script, ending) => {
    const report = await runChild(script);
    expect(report.ending).toEqual(ending);
    expect(report.outputs).toEqual([]);
    expect(() => process.kill(-report.pid, 0)).toThrow('ESRCH');
  });

  it('cannot place a file by its name', async () => {
    const report = await runChild(`
      ready(); put(ended());
      for (const name of ['../../escape', '/tmp/escape', 'a/../../escape', 'ok', 'a\\0b', '.assay']) put(file(name, 1), frame(6, 'x'));
      put(frame(7)); hang();`);
    expect(report.ending).toEqual({ kind: 'exit', code: 0 });
    expect(report.outputs.map(({ path }) => path)).toEqual(['ok']);
    expect(await readdir(join(folder, 'outputs'))).toEqual([report.outputs[0]!.sha256]);
    expect(report.log).toContain('not captured');
  });

  it('has no rights, no files, no processes and no room to write', async () => {
    const report = await runChild(`
      import { createRequire } from 'node:module';
      const fs = await import('node:fs'); const cp = await import('node:child_process'); const wt = await import('node:worker_threads');
      const attempt = (name, work) => { try { work(); return name + ' ESCAPED'; } catch (e) { return name + ' ' + (e.code ?? e.name); } };
      ready();
      const words = [
        attempt('read', () => fs.readFileSync('/etc/passwd')),
        attempt('write', () => fs.writeFileSync('/tmp/escape', 'x')),
        attempt('spawn', () => { const r = cp.spawnSync('/bin/true'); if (r.error) throw r.error; }),
        attempt('thread', () => new wt.Worker('1', { eval: true })),
        attempt('code', () => new Function('return 1')()),
        attempt('addon', () => process.dlopen({ exports: {} }, '/tmp/none.node')),
        'uid ' + (process.getuid() === 0 ? 'ESCAPED' : 'low'), 'env ' + Object.keys(process.env).sort(),
      ];
      put(frame(2, words.join('\\n') + '\\n'), ended(), frame(7)); hang();`);
    expect(report.ending).toEqual({ kind: 'exit', code: 0 });
    expect(report.log.split('\n').filter((line) => line.includes('ESCAPED'))).toEqual([]);
    expect(report.log).toContain('read ERR_ACCESS_DENIED');
    expect(report.log).toContain('env LANG,PWD,TZ');
  });

  it('that dies before it is ready is a fault of ours', async () => {
    const report = await runChild("throw new Error('broken runtime')");
    expect(report.ending).toMatchObject({ kind: 'infra', message: expect.stringContaining('broken runtime') });
  });
});
