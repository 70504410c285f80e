/** A WASI program under Node's own host, with folders of the machine opened to it: the positive control for WASI. */

import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import type { Attempt } from './attack-suite.setup.ts';
import type { Canaries } from './canaries.setup.ts';

export const attackModule = readFileSync(join(import.meta.dirname, 'wasi', 'attacks.wasm'));

/** Runs each attempt in a folder beside the canary, then collects as carelessly as the other controls do. */
const program = `
import { WASI } from 'node:wasi';
import { mkdirSync, openSync, closeSync, readFileSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
const { attempts, folder, secret, module } = JSON.parse(readFileSync(0, 'utf8'));
const compiled = await WebAssembly.compile(Buffer.from(module, 'base64'));
const said = (path) => { const text = readFileSync(path, 'utf8'); return text.slice(0, 100000) + text.slice(-100000); };
function collect(at, depth, found) {
  if (depth > 200) found.lines.push('ESCAPED the collector went as deep as it was led');
  if (depth > 200) return;
  for (const name of readdirSync(at)) {
    const path = at + '/' + name;
    found.count += 1;
    if (found.count < 50) found.lines.push(name);
    try {
      const state = statSync(path);
      if (state.isDirectory()) collect(path, depth + 1, found);
      else if (state.size > 2 ** 33) found.lines.push('ESCAPED the collector believed a size');
      else if (found.count < 50) found.lines.push(readFileSync(path, 'utf8').slice(0, 4096));
    } catch (error) { found.lines.push(error.message); }
  }
}
writeFileSync(folder + '/canary', secret);
const all = [];
for (const [index, { id, code }] of attempts.entries()) {
  const here = folder + '/' + index;
  for (const name of ['', '/results', '/tmp', '/tmp/neighbour']) mkdirSync(here + name);
  symlinkSync('..', here + '/up');
  writeFileSync(here + '/task', code);
  writeFileSync(here + '/tmp/neighbour/mine', secret);
  const out = [openSync(here + '/stdout', 'w'), openSync(here + '/stderr', 'w')];
  let end = '';
  try {
    const preopens = { '.': here, '/tmp': here + '/tmp', '/host': folder + '/..' };
    const wasi = new WASI({ version: 'preview1', env: process.env, preopens, stdout: out[0], stderr: out[1], returnOnExit: true });
    wasi.start(await WebAssembly.instantiate(compiled, wasi.getImportObject()));
  } catch (error) { end = String(error); }
  for (const one of out) closeSync(one);
  const found = { count: 0, lines: [] };
  collect(here + '/results', 0, found);
  if (found.count > 1000) found.lines.push('ESCAPED the collector took every file');
  all.push([id, [said(here + '/stdout'), said(here + '/stderr'), end, ...found.lines].join('\\n')]);
}
process.stdout.write('ANSWERS' + JSON.stringify(all), () => process.exit(0));
`;

/** What each attempt printed there. */
export async function inOpenWasi(
  attempts: readonly Attempt[],
  canaries: Canaries,
): Promise<ReadonlyMap<string, string>> {
  const folder = await mkdtemp(join(canaries.folder, 'open-'));
  const text = await new Promise<string>((resolve, reject) => {
    const env = { PATH: '/usr/bin:/bin', ASSAY_CANARY: canaries.secret };
    const options = { env, timeout: 200_000, maxBuffer: 64 * 1024 * 1024 };
    const args = ['--no-warnings', '--input-type=module', '-e', program];
    const child = execFile(process.execPath, args, options, (error, stdout) => {
      if (error) reject(new Error(`the open WASI host ended: ${error.message.slice(-2000)}`));
      else resolve(stdout);
    });
    const module = attackModule.toString('base64');
    child.stdin?.end(JSON.stringify({ attempts, folder, secret: canaries.secret, module }));
  });
  return new Map(JSON.parse(text.slice(text.indexOf('ANSWERS') + 7)) as [string, string][]);
}
