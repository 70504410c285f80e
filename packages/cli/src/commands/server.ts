/** `assay server`: a server as its environment configures it. */

import { processConfig, settings, startServer } from '@assay/server';
import type { Arguments } from '../arguments.ts';
import type { Command } from '../command.ts';
import { ensureConsole } from '../console-build.ts';
import { interruption } from '../interruption.ts';
import { makeFolder } from '../make-folder.ts';
import { columns, print } from '../terminal.ts';

export const serverCommand: Command = {
  usage: 'server [--settings]',
  options: { settings: { kind: 'flag', doc: 'list the settings and end' } },
  positionals: [],
  run,
};

async function run(args: Arguments): Promise<number> {
  if (args.flag('settings')) {
    print(
      columns(
        Object.values(settings).map((one) => [one.variable, one.usual ?? '', one.doc]),
        '',
      ),
    );
    return 0;
  }
  const stop = interruption();
  const config = processConfig();
  await makeFolder(config.stateFolder);
  const consoleFolder = config.consoleFolder ?? (await ensureConsole(() => print('Building the console (once).')));
  const running = await startServer({ ...config, consoleFolder });
  print(`The market is open at ${running.url}. Ctrl-C ends it.`);
  await stop.promise;
  await running.close();
  stop.release();
  return 0;
}
