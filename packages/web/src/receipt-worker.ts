/** Checks receipts off the page's own thread: hundreds of signatures would hold up a scroll. */

import { verifyReceipt } from '@assay/verify';

self.addEventListener('message', (event: MessageEvent<unknown>) => {
  self.postMessage(verifyReceipt(event.data), {});
});
