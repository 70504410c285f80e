/** The Python interpreter in WebAssembly without any wall: the positive control of what is tried on it. */

import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { Attempt } from './attack-suite.setup.ts';
import type { Canaries } from './canaries.setup.ts';
import { naiveCollector } from './probes/prelude.setup.ts';

/** What each attempt prints there, each in a fresh folder of the interpreter's own files. */
export async function inOpenInterpreter(
  attempts: readonly Attempt[],
  canaries: Canaries,
): Promise<ReadonlyMap<string, string>> {
  const pyodide = dirname(createRequire(import.meta.url).resolve('pyodide'));
  const program = `
    import { readFileSync } from 'node:fs';
    const { attempts, collect, secret } = JSON.parse(readFileSync(0, 'utf8'));
    const { loadPyodide } = await import(${JSON.stringify(join(pyodide, 'pyodide.mjs'))});
    const said = [];
    const say = (line) => said.push(line.slice(0, 4000));
    const python = await loadPyodide({ stdout: say, stderr: say });
    python.runPython("import os\\nos.makedirs('/tmp/neighbour')\\nopen('/tmp/neighbour/mine', 'w').write('" + secret + "')");
    const all = [];
    for (const { id, code } of attempts) {
      said.length = 0;
      python.FS.mkdirTree('/job/' + id + '/results');
      python.FS.chdir('/job/' + id);
      const attempt = async (text) => {
        try { await python.runPythonAsync(text); } catch (error) { said.push(String(error.message).slice(-600)); }
      };
      await attempt(code);
      await attempt("def escaped(what): print('ESC' + 'APED', what)\\n" + collect);
      all.push([id, said.slice(0, 60).concat(said.slice(-60)).join('\\n')]);
    }
    await new Promise((done) => setTimeout(done, 100));
    process.stdout.write('ANSWERS' + JSON.stringify(all), () => process.exit(0));
  `;
  const env = { PATH: '/usr/bin:/bin', ASSAY_CANARY: canaries.secret };
  const text = await new Promise<string>((resolve, reject) => {
    const options = { env, timeout: 200_000, maxBuffer: 64 * 1024 * 1024 };
    const child = execFile(process.execPath, ['--input-type=module', '-e', program], options, (error, stdout) => {
      if (error) reject(error);
      else resolve(stdout);
    });
    child.stdin?.end(JSON.stringify({ attempts, collect: naiveCollector, secret: canaries.secret }));
  });
  return new Map(JSON.parse(text.slice(text.indexOf('ANSWERS') + 7)) as [string, string][]);
}
