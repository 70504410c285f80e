/**
 * Lets the test runner hear of errors that nobody caught. The logger of fabric-contract-api takes them for itself when
 * it is loaded, and the runner leaves what others hear to them.
 */

import { beforeEach } from 'vitest';

beforeEach(() => {
  for (const listener of process.listeners('uncaughtException')) {
    if (listener.name === 'bound _uncaughtException') process.off('uncaughtException', listener);
  }
  for (const listener of process.listeners('unhandledRejection')) {
    if (listener.name === 'loggerUnhandledRejectionFn') process.off('unhandledRejection', listener);
  }
});
