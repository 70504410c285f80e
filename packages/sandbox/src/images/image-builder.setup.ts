/** For tests: a process that builds an image and says each step, until it is killed. Arguments: recipes, name, images. */

import { buildImage } from './build.ts';
import { readRecipe } from './recipe.ts';

const [recipes = '', name = '', imagesDir = ''] = process.argv.slice(2);
await buildImage(readRecipe(name, recipes), {
  imagesDir,
  progress: (step) => process.stdout.write(`${step}\n`),
});
