/** Refuses unsafe requests that a page of another site made a browser send (CSRF), as Fetch Metadata tells them apart. */

import { refuse } from '@assay/core';
import type { IncomingHttpHeaders } from 'node:http';

const safeMethods = new Set(['GET', 'HEAD', 'OPTIONS']);

/** What the check looks at. */
export interface OriginFacts {
  readonly method: string;
  readonly headers: IncomingHttpHeaders;
  /** The origin that people see us under. */
  readonly publicOrigin: string;
}

/** Refuses `auth.csrf`. A request with neither header comes from no browser and carries no stolen cookie. */
export function checkOrigin({ method, headers, publicOrigin }: OriginFacts): void {
  if (safeMethods.has(method)) return;
  const site = headers['sec-fetch-site'];
  if (site === 'same-origin' || site === 'none') return;
  const { origin } = headers;
  if (site === undefined && (origin === undefined || origin === publicOrigin || sameHost(origin, headers.host))) return;
  throw refuse('auth.csrf', 'the request came from another site', {});
}

function sameHost(origin: string, host: string | undefined): boolean {
  return host !== undefined && URL.canParse(origin) && new URL(origin).host === host;
}
