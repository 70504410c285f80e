import { execFile } from 'node:child_process';
import { chmod, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';

const script = (name: string): string =>
  fileURLToPath(new URL(`../../../../../../deploy/${name}/build`, import.meta.url));
const run = promisify(execFile);

/** A folder of programs that come before the system's, each a line of shell. */
async function programs(lines: Readonly<Record<string, string>>) {
  const folder = await mkdtemp(join(tmpdir(), 'assay-build-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  for (const [name, line] of Object.entries(lines)) {
    await writeFile(join(folder, name), `#!/bin/sh\n${line}\n`);
    await chmod(join(folder, name), 0o755);
  }
  const tools = join(folder, 'tools');
  return { tools, env: { PATH: `${folder}:/usr/bin:/bin`, ASSAY_TOOLS_DIR: tools } };
}

test('programs count as built only where they are', async () => {
  const { tools, env } = await programs({ go: 'mkdir "$GOBIN" && touch "$GOBIN/runsc"' });
  expect((await run(script('tools'), ['gvisor'], { env })).stdout).toContain('is built');
  expect((await run(script('tools'), ['gvisor'], { env })).stdout).not.toContain('building');
  const [built = ''] = await readdir(tools);
  expect(await readdir(join(tools, built, 'bin'))).toEqual(['runsc']);

  const other = await programs({ go: 'mkdir "$GOBIN"', mv: 'exit 1' });
  const failed = run(script('tools'), ['gvisor'], { env: other.env });
  await expect(failed).rejects.toMatchObject({
    stdout: expect.not.stringContaining('is built') as string,
    stderr: expect.stringContaining('could not be put into') as string,
  });
});

test.each([
  ['tools', 'fabric-3', 'there is no tool set fabric-3'],
  ['fabric/images', 'fabric-bft', 'usage: deploy/fabric/images/build [fabric|bft]'],
])('what cannot be built is told: %s %s', async (name, argument, sentence) => {
  const { env } = await programs({});
  await expect(run(script(name), [argument], { env })).rejects.toMatchObject({
    code: 1,
    stderr: expect.stringContaining(sentence) as string,
  });
});
