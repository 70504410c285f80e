/** The same recipe as a Dockerfile, for those who have a registry. */

import type { Recipe } from './recipe.ts';

/**
 * A Dockerfile whose build context is the folder `images/` of a checkout. It gives the same files up to what the base
 * image of the registry brings; its digest is another one, and the allowlist must name that.
 */
export function dockerfileOf(recipe: Recipe): string {
  const options = [
    ...recipe.exclude.map((glob) => `path-exclude=${glob}`),
    ...recipe.keep.map((glob) => `path-include=${glob}`),
  ];
  const copies = recipe.files.map(
    ({ path, mode }) =>
      `COPY --chmod=${mode.toString(8).padStart(4, '0')} shim${path.slice('/platform'.length)} ${path}`,
  );
  return [
    `# ${recipe.runner}: ${recipe.summary}. Made by \`./assay images dockerfile ${recipe.name}\`.`,
    `# Build: docker build -f - -t ${recipe.runner} images < this file`,
    `FROM debian:${recipe.suite}-slim AS root`,
    `RUN printf '%s\\n' \\`,
    ...options.map((option) => `      '${option}' \\`),
    '      >/etc/dpkg/dpkg.cfg.d/90-image',
    'RUN apt-get update \\',
    ' && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends \\',
    `      ${recipe.packages.join(' ')} \\`,
    ' && rm -rf /var/lib/apt/lists',
    ...copies,
    'COPY --chmod=0755 finish /tmp/finish',
    // `finish` removes what its own last commands would need where it works on the running system.
    `RUN cp /tmp/finish /dev/shm/finish && set -f && sh /dev/shm/finish / ${recipe.remove.join(' ')}`.trimEnd(),
    '',
    '# Without the layers below, which hold what was removed.',
    'FROM scratch',
    'COPY --from=root / /',
    'ENV PATH=/usr/local/bin:/usr/bin:/bin',
    'USER 65534:65534',
    'ENTRYPOINT ["/platform/shim"]',
    '',
  ].join('\n');
}
