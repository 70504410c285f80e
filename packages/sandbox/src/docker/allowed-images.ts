/** The images that the docker driver may start on this machine. */

import { readAllowlist } from '../images/allowlist.ts';
import { programSettings } from './engine/config.ts';
import { architectures, type RunnerImage } from './runner-image.ts';

/** What the allowlist in the images folder names for this processor. */
export function allowedImages(imagesDir: string = programSettings().imagesDir): RunnerImage[] {
  return readAllowlist(imagesDir)
    .filter((entry) => entry.architecture === architectures[process.arch])
    .map(({ runner, image, programs }) => ({ runner, image, programs }));
}
