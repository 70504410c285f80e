/** An organisation's contract server: the four contracts as a service that its peer calls over mutual TLS. */

import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { contractsOf, newestVersion, type ContractVersion } from '@assay/contracts';
import { limits, type Clock } from '@assay/core';
import { openChaincode } from '../fabric-runtime.ts';
import { witnessed, type Endorser } from './witness.ts';

const require = createRequire(import.meta.url);

interface ServerClass {
  new (
    chaincode: Endorser & { Init(): Promise<{ status: number }> },
    options: {
      readonly ccid: string;
      readonly address: string;
      readonly tlsProps: { readonly key: Buffer; readonly cert: Buffer; readonly clientCACerts: Buffer };
      readonly 'grpc.max_receive_message_length': number;
    },
  ): { start(): Promise<void> };
}

/** Where the server listens, and whom it believes: only peers whose key `clientAuthority` signed. */
export interface ContractServerSettings {
  readonly packageId: string;
  readonly address: string;
  readonly key: string;
  readonly certificate: string;
  readonly clientAuthority: string;
  /** Which version of the contracts it runs; the newest where nothing is said. */
  readonly contracts?: ContractVersion;
}

/** Listens until the process ends. */
export async function serveContracts(settings: ContractServerSettings, clock: Clock): Promise<void> {
  const Server = require('fabric-shim/lib/server') as ServerClass;
  const [key, cert, clientCACerts] = await Promise.all([
    readFile(settings.key),
    readFile(settings.certificate),
    readFile(settings.clientAuthority),
  ]);
  const endorser = witnessed(openChaincode(contractsOf(settings.contracts ?? newestVersion)), clock);
  const chaincode = { Init: async () => ({ status: 200 }), Invoke: endorser.Invoke };
  await new Server(chaincode, {
    ccid: settings.packageId,
    address: settings.address,
    tlsProps: { key, cert, clientCACerts },
    // All calls share one stream, which a message beyond the bound ends: whatever the peer takes must fit.
    'grpc.max_receive_message_length': limits.fabricMessageBytes,
  }).start();
}
