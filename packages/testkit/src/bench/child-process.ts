/** Processes of the benchmark that answer messages. */

import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';

/** Starts the program `file` of this folder; it is added to `children`, which are ended in the end. */
export function child(children: ChildProcess[], file: string): ChildProcess {
  const one = fork(new URL(file, import.meta.url), { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  children.push(one);
  return one;
}

/** The next message of a child; throws when it failed or ended. */
export async function answerOf<T extends { readonly kind: string }>(one: ChildProcess): Promise<T> {
  const ended = once(one, 'exit').then(() => {
    throw new Error('a process of the benchmark ended early');
  });
  const [answer] = (await Promise.race([once(one, 'message'), ended])) as [T | { kind: 'failed'; text: string }];
  if (answer.kind === 'failed') throw new Error((answer as { text: string }).text);
  return answer as T;
}
