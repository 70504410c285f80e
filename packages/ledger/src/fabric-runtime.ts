/**
 * The only file that knows fabric-shim's inside: its dispatcher, on which contracts run as in a chaincode server. The
 * path is internal, so fabric-shim is pinned; the conformance suite tells when an update breaks it.
 */

import { createRequire } from 'node:module';
import { limits } from '@assay/core';
import type { Contract } from 'fabric-contract-api';
import type { ChaincodeResponse, ChaincodeStub, ClientIdentity, Timestamp } from 'fabric-shim-api';

const require = createRequire(import.meta.url);
const fromShim = createRequire(require.resolve('fabric-shim'));

/** The dispatcher, and the tables that it made of the contracts. */
export interface Chaincode {
  Invoke(stub: ChaincodeStub): Promise<ChaincodeResponse>;
  readonly contractImplementations: Readonly<Record<string, { readonly contractInstance: Contract }>>;
  readonly metadata: {
    readonly contracts: Readonly<Record<string, { readonly transactions: readonly FunctionEntry[] }>>;
  };
}

interface FunctionEntry {
  readonly name: string;
  readonly parameters?: readonly { readonly schema: { readonly type?: string } }[];
  readonly returns?: object;
}

interface DispatcherClass {
  new (contracts: ContractClass[], serializers: object, metadata: object, title: string, version: string): Chaincode;
}

/** A contract class without constructor arguments. */
export type ContractClass = new () => Contract;

type IdentityClass = new (stub: ChaincodeStub) => ClientIdentity & { stub?: ChaincodeStub };

const shim = require('fabric-shim/lib/chaincode') as { ClientIdentity: IdentityClass };
const Identity = shim.ClientIdentity;
const identities = new Map<string, ClientIdentity>();

/** Parsing a certificate costs more than most transactions; the same certificate gives the same identity. */
export function clientIdentityOf(stub: ChaincodeStub): ClientIdentity {
  const { mspid, idBytes } = stub.getCreator();
  const key = `${mspid}\n${Buffer.from(idBytes).toString('latin1')}`;
  let identity = identities.get(key);
  if (identity === undefined) {
    const parsed = new Identity(stub);
    delete parsed.stub;
    identity = parsed;
    if (identities.size >= limits.ledgerCertificates) identities.clear();
    identities.set(key, identity);
  }
  return identity;
}

function KnownIdentity(stub: ChaincodeStub): ClientIdentity {
  return clientIdentityOf(stub);
}

function loadDispatcher(): DispatcherClass {
  // The dispatcher takes the class from this module when it loads.
  shim.ClientIdentity = KnownIdentity as unknown as IdentityClass;
  const dispatcher = require('fabric-shim/lib/contract-spi/chaincodefromcontract') as DispatcherClass;
  leaveProcessAlone();
  return dispatcher;
}

/**
 * The loggers of fabric-shim and fabric-contract-api would swallow uncaught exceptions and rejections of the whole
 * process, and write every refusal of a contract to the console.
 */
function leaveProcessAlone(): void {
  for (const listener of process.listeners('uncaughtException')) {
    if (listener.name === 'bound _uncaughtException') process.off('uncaughtException', listener);
  }
  for (const listener of process.listeners('unhandledRejection')) {
    if (listener.name === 'loggerUnhandledRejectionFn') process.off('unhandledRejection', listener);
  }
  const loggers = [fromShim('./lib/logger'), fromShim('fabric-contract-api/lib/logger')] as {
    getLogger(name: string): { silent: boolean };
  }[];
  const names = [
    'contracts-spi/chaincodefromcontract.js',
    'contracts-spi/datamarshall.js',
    './lib/jsontransactionserializer.js',
    './lib/contract.js',
    'lib/chaincode.js',
  ];
  for (const logger of loggers) for (const name of names) logger.getLogger(name).silent = true;
}

const Dispatcher = loadDispatcher();
const { JSONSerializer } = require('fabric-contract-api') as { JSONSerializer: object };
const Long = fromShim('long') as { fromNumber(value: number): Timestamp['seconds'] };

/** A chaincode made of `contracts`: calls `contract:function` with the arguments of the stub. */
export function openChaincode(contracts: readonly ContractClass[]): Chaincode {
  const serializers = { transaction: 'json', serializers: { json: JSONSerializer } };
  // The constructor adds its own contract to the array that it is given.
  return new Dispatcher([...contracts], serializers, {}, 'assay', '1');
}

/** A protobuf time stamp, as the stub gives it. */
export function timestampOf(ms: number): Timestamp {
  return { seconds: Long.fromNumber(Math.floor(ms / 1000)), nanos: (ms % 1000) * 1_000_000 };
}
