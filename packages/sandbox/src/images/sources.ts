/** Where Debian packages come from: this machine's own sources of the suite, so that a mirror set there is used. */

import { execFileSync } from 'node:child_process';
import { findProgram } from '../docker/engine/programs.ts';

/** Lines of a sources.list for `suite`; none where this machine has no source of it, and Debian's own servers serve. */
export function packageSources(suite: string, indexTargets: string = machineTargets()): readonly string[] {
  const lines = indexTargets.split('\n').flatMap((line) => {
    const [uri = '', release = '', component = '', signedBy = ''] = line.split('\t');
    const wanted = [suite, `${suite}-updates`, `${suite}-security`].includes(release) && component === 'main';
    if (!wanted || !/^(?:https?|file|mirror(?:\+\w+)?):[\w./:~%+@-]+$/.test(uri)) return [];
    const option = /^\/[\w./+-]+$/.test(signedBy) ? `[signed-by=${signedBy}] ` : '';
    return [`deb ${option}${uri} ${release} main`];
  });
  const unique = [...new Set(lines)];
  return unique.some((line) => line.endsWith(` ${suite} main`)) ? unique : [];
}

/** What apt reads on this machine, an index a line: address, release, component, keyring. */
function machineTargets(): string {
  try {
    const format = '$(REPO_URI)\t$(RELEASE)\t$(COMPONENT)\t$(SIGNED_BY)';
    const args = ['indextargets', '--format', format, 'Created-By: Packages'];
    return execFileSync(findProgram('apt-get') ?? 'apt-get', args, {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
  } catch {
    return '';
  }
}
