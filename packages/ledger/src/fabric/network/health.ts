/** Asks a node how it is, over mutual TLS. */

import { readFile } from 'node:fs/promises';
import { request, type RequestOptions } from 'node:https';
import type { Folders } from './folders.ts';
import { ordererMsp, type OrdererPlace, type PeerPlace } from './topology.ts';

/** How long an answer may take. */
const patienceMs = 2000;

/** `ok`, or what is wrong with the node; rejects where the files to ask with are not there. */
export async function healthOf(folders: Folders, place: OrdererPlace | PeerPlace): Promise<string> {
  const mspId = 'mspId' in place ? place.mspId : ordererMsp;
  const { admin } = folders.organization(mspId);
  const [ca, cert, key] = await Promise.all([
    readFile(folders.trust(mspId)),
    readFile(admin.tls.certificate),
    readFile(admin.tls.key),
  ]);
  return answerOf({ host: place.host, port: place.operationsPort, path: '/healthz', ca, cert, key });
}

/** Asks over TLS: `ok` for status 200, or what is wrong. */
export function answerOf(options: RequestOptions): Promise<string> {
  return new Promise((resolve) => {
    const patience = AbortSignal.timeout(patienceMs);
    const asked = request({ ...options, signal: patience }, (response) => {
      response.resume();
      response.once('end', () => resolve(response.statusCode === 200 ? 'ok' : `status ${response.statusCode}`));
      response.once('close', () => resolve('the answer broke off'));
    });
    asked.once('error', (error) => resolve(patience.aborted ? 'no answer' : error.message));
    asked.end();
  });
}
