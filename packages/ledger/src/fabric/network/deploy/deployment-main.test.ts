import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const program = fileURLToPath(new URL('deployment-main.ts', import.meta.url));

test.each([
  ['the commands are authorities, material', []],
  ['the commands are authorities, material', ['constructor']],
  ['no such network', ['authorities', '--ordering', 'toString', '--share', 'ca-orderer=/dev/null/none']],
  ['no such network', ['authorities', '--membership', 'valueOf', '--share', 'ca-orderer=/dev/null/none']],
])('a container that is given what there is not ends with a sentence: %s %j', async (sentence, args) => {
  const run = promisify(execFile)(process.execPath, [program, ...args]);
  await expect(run).rejects.toMatchObject({ code: 1, stderr: expect.stringContaining(sentence) as string });
});
