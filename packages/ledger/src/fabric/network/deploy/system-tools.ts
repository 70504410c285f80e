/** Fabric's programs where an image put them. */

import type { Tools } from '../tools.ts';

export const systemTools: Tools = { version: 'of the image', path: (name) => `/usr/local/bin/${name}` };
