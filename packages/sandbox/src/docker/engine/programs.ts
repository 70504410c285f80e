/** The outside programs that the docker driver and its images need, and which of them a machine lacks. */

import { accessSync, constants, statSync } from 'node:fs';
import { join } from 'node:path';
import { programSettings, type ProgramSettings } from './config.ts';

/** The gVisor that `deploy/tools/gvisor` builds; Debian's own is years older and has no systrap. */
export const gvisorVersion = '20260905';

/** A need by the name that ASSAY_REQUIRE gives it. */
export type Need = 'docker' | 'runsc' | 'mmdebstrap';

/** Where `name` lies on this machine's path, undefined where it does not. */
export function findProgram(name: string, settings: ProgramSettings = programSettings()): string | undefined {
  return settings.path.map((folder) => join(folder, name)).find(executable);
}

/** The runsc of the pinned version, undefined where it has not been built. */
export function findRunsc(settings: ProgramSettings = programSettings()): string | undefined {
  const path = join(settings.toolsDir, `gvisor-${gvisorVersion}`, 'bin', 'runsc');
  return executable(path) ? path : undefined;
}

/** What this machine lacks for `need`, as a sentence; undefined where nothing is missing. */
export function lacking(need: Need, settings: ProgramSettings = programSettings()): string | undefined {
  if (process.platform !== 'linux') return `${need} needs Linux`;
  switch (need) {
    case 'docker': {
      const absent = ['dockerd', 'containerd', 'runc'].filter((name) => findProgram(name, settings) === undefined);
      if (absent.length > 0) return `no ${absent.join(', no ')} (Debian: docker.io)`;
      return process.getuid?.() === 0 ? undefined : 'only root can start an engine';
    }
    case 'runsc':
      return findRunsc(settings) === undefined ? 'no runsc (deploy/tools/build gvisor)' : undefined;
    case 'mmdebstrap':
      if (findProgram('mmdebstrap', settings) === undefined) return 'no mmdebstrap (Debian: mmdebstrap)';
      return process.getuid?.() === 0 ? undefined : 'only root builds images';
  }
}

function executable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
