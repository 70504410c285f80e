/** For tests that run units in built images: skip with the reason, or fail where ASSAY_REQUIRE names `images`. */

import { programSettings } from '../docker/engine/config.ts';
import type { Need } from '../docker/engine/programs.ts';
import { needed, type Needed } from '../docker/engine/programs.setup.ts';
import { readRecipe } from './recipe.ts';
import { builtImage } from './record.ts';

/** Whether this machine has the programs (an engine with gVisor unless told) and the images of these names. */
export function neededImages(names: readonly string[], needs: readonly Need[] = ['docker', 'runsc']): Needed {
  const programs = needed(...needs);
  const { imagesDir, required } = programSettings();
  const absent = names.filter((name) => builtImage(imagesDir, readRecipe(name)) === undefined);
  if (programs.skip || absent.length === 0) return programs;
  const reason = `not built: ./assay images build ${absent.join(' ')}`;
  if (required.includes('images'))
    throw new Error(`ASSAY_REQUIRE names images, and this machine lacks some: ${reason}`);
  return { skip: true, why: ` (skipped: ${reason})` };
}
