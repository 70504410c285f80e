/** R in WebAssembly as its authors ship it: the positive control of what is tried on it. */

import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { Attempt } from './attack-suite.setup.ts';
import type { Canaries } from './canaries.setup.ts';

/** A careless collector in R, as `naiveCollector` is one in Python. */
const collector = `
names <- list.files('results', recursive = TRUE)
for (name in head(names, 50)) cat(name, '\\n')
if (any(lengths(strsplit(names, '/')) > 200)) cat(paste0('ESC', 'APED'), 'the collector went as deep as it was led\\n')
if (length(names) > 1000) cat(paste0('ESC', 'APED'), 'the collector took every file\\n')
`;

/** What each attempt prints there, each in a fresh folder of the interpreter's own files. */
export async function inOpenR(attempts: readonly Attempt[], canaries: Canaries): Promise<ReadonlyMap<string, string>> {
  const webr = join(dirname(createRequire(import.meta.url).resolve('webr')), 'webr.mjs');
  const program = `
    import { readFileSync } from 'node:fs';
    const { attempts, collector, secret } = JSON.parse(readFileSync(0, 'utf8'));
    const { WebR } = await import(${JSON.stringify(webr)});
    const webR = new WebR({ interactive: false });
    await webR.init();
    const shelter = await new webR.Shelter();
    const run = async (code) => {
      try {
        const { output } = await shelter.captureR(code, { withAutoprint: false, captureConditions: false, throwJsException: false });
        return output.map((one) => String(one.data)).join('\\n');
      } catch (error) { return String(error.message).slice(0, 600); }
      finally { await shelter.purge(); }
    };
    await run("dir.create('/tmp/neighbour', recursive = TRUE); writeLines('" + secret + "', '/tmp/neighbour/mine')");
    const all = [];
    for (const [index, { id, code }] of attempts.entries()) {
      await run("dir.create('/tmp/job" + index + "/results', recursive = TRUE); setwd('/tmp/job" + index + "')");
      all.push([id, (await run(code)).slice(-200000) + '\\n' + (await run(collector))]);
    }
    process.stdout.write('ANSWERS' + JSON.stringify(all), () => process.exit(0));
  `;
  const env = { PATH: '/usr/bin:/bin', ASSAY_CANARY: canaries.secret };
  const text = await new Promise<string>((resolve, reject) => {
    const options = { env, timeout: 400_000, maxBuffer: 64 * 1024 * 1024 };
    const child = execFile(process.execPath, ['--input-type=module', '-e', program], options, (error, stdout) => {
      if (error) reject(new Error(`the open R ended: ${error.message.slice(-2000)}`));
      else resolve(stdout);
    });
    child.stdin?.end(JSON.stringify({ attempts, collector, secret: canaries.secret }));
  });
  return new Map(JSON.parse(text.slice(text.indexOf('ANSWERS') + 7)) as [string, string][]);
}
