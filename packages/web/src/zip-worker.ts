/** Zips the files of a folder; the library's own workers come from blobs, which the page's policy refuses. */

import { zipSync, type Zippable } from 'fflate';

self.addEventListener('message', (event: MessageEvent<Zippable>) => {
  const zipped = zipSync(event.data, { level: 6 });
  self.postMessage(zipped, { transfer: [zipped.buffer] });
});
