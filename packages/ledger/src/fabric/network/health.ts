/** Asks a node how it is, over mutual TLS. */

import { readFile } from 'node:fs/promises';
import { request } from 'node:https';
import type { Folders } from './folders.ts';
import { ordererMsp, type OrdererPlace, type PeerPlace } from './topology.ts';

/** `ok`, or what is wrong. */
export async function healthOf(folders: Folders, place: OrdererPlace | PeerPlace): Promise<string> {
  const mspId = 'mspId' in place ? place.mspId : ordererMsp;
  const { admin } = folders.organization(mspId);
  const [ca, cert, key] = await Promise.all([
    readFile(folders.trust(mspId)),
    readFile(admin.tls.certificate),
    readFile(admin.tls.key),
  ]);
  return new Promise((resolve) => {
    const options = { host: place.host, port: place.operationsPort, path: '/healthz', ca, cert, key, timeout: 2000 };
    const asked = request(options, (response) => {
      response.resume();
      response.once('end', () => resolve(response.statusCode === 200 ? 'ok' : `status ${response.statusCode}`));
    });
    asked.once('timeout', () => asked.destroy(new Error('no answer')));
    asked.once('error', (error) => resolve(error.message));
    asked.end();
  });
}
