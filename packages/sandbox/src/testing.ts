/** What tests of other packages need to know of this machine's engines and images. */

export { needed, type Needed } from './docker/engine/programs.setup.ts';
export { neededImages } from './images/images.setup.ts';
