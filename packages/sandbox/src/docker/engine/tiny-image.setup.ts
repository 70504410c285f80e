/** For tests: an image of a few programs of this machine, made in well under a second. */

import { execFileSync, spawn } from 'node:child_process';
import { existsSync, realpathSync } from 'node:fs';
import { askEngine } from './api.ts';

/** Imports the programs at their own paths, with the libraries that they load, and returns the image's id. */
export async function importTinyImage(socketPath: string, programs: readonly string[]): Promise<string> {
  const libraries = programs.flatMap((path) =>
    [...execFileSync('/usr/bin/ldd', [path], { encoding: 'utf8' }).matchAll(/(\/\S+) \(/g)].map(
      (match) => match[1] ?? '',
    ),
  );
  const files = [...new Set([...programs, ...libraries])].filter((path) => existsSync(realpathSync(path)));
  const tar = spawn('tar', ['--create', '--dereference', '--numeric-owner', '--owner=0', '--group=0', ...files], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const reply = await askEngine(socketPath, 'POST', '/images/create?fromSrc=-', { body: tar.stdout });
  const id = /sha256:[0-9a-f]{64}/.exec(reply.body)?.[0];
  if (id === undefined) throw new Error(`the engine did not import the tiny image: ${reply.status} ${reply.body}`);
  return id;
}
