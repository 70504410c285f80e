/**
 * The ledger's gateway for programs that know themselves by certificates: a second listener, over TLS that both sides
 * authenticate. It shows the routes of the ledger and of operations, nothing else.
 */

import { constants, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server as HttpsServer } from 'node:https';
import { TLSSocket, type TlsOptions } from 'node:tls';
import { limits, Refusal, type Clock } from '@assay/core';
import type { ConnectionError, FastifyBaseLogger } from 'fastify';
import type { Socket } from 'node:net';
import type { PeerBook } from './peers.ts';
import { readClientFile, readTlsFiles, stampOf, type TlsMaterial, type TlsPaths } from './tls-files.ts';

export interface GatewayDeps {
  readonly paths: TlsPaths;
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly peers: PeerBook;
  readonly clock: Clock;
  /** How long a handshake may take, `limits.requestBodyMs` by default. */
  readonly handshakeMs?: number;
  /** How many connections there may be, `limits.tlsConnections` by default. */
  readonly connections?: number;
  readonly log: Pick<FastifyBaseLogger, 'info' | 'warn'>;
  /** What answers requests. */
  readonly answer: (request: IncomingMessage, response: ServerResponse) => void;
  /** Answers bytes that are no HTTP request. */
  readonly answerMalformed: (error: ConnectionError, socket: Socket) => void;
}

/** A gateway that listens. */
export interface Gateway {
  /** Such as `https://127.0.0.1:8443`. */
  readonly url: string;
  /**
   * Reads the files again if they changed; what is wrong with them is logged, and the old ones stay in force. Connections
   * that were turned away are logged too.
   */
  reload(): Promise<void>;
  close(): Promise<void>;
}

/** Opens the gateway; refuses what `readTlsFiles` and `readClientFile` refuse. */
export async function openGateway(deps: GatewayDeps): Promise<Gateway> {
  const { host, port, peers, clock, answer, handshakeMs: handshakeTimeout = limits.requestBodyMs } = deps;
  const first = await readTlsFiles(deps.paths, clock.nowMs());
  peers.name(await readClientFile(deps.paths));
  const server = createServer({ ...secured(first), ...bounds, handshakeTimeout }, answer);
  server.maxConnections = deps.connections ?? limits.tlsConnections;
  let turnedAway = 0;
  server.on('drop', () => (turnedAway += 1));
  const connections = followConnections(server, peers);
  server.on('clientError', (error: ConnectionError, socket) => {
    // Before the handshake is over nobody can be told anything, nor would such a connection ever end by itself.
    if (socket instanceof TLSSocket && peers.of(socket)) deps.answerMalformed(error, socket);
    else socket.destroy();
  });
  server.listen({ host, port });
  await once(server, 'listening');
  const reload = reloading(deps, server, first);
  // What changed while it opened, and which authorities it does without.
  await reload();
  const look = async (): Promise<void> => {
    if (turnedAway > 0) deps.log.warn({ turnedAway }, 'the gateway is full and turned connections away');
    turnedAway = 0;
    await reload();
  };
  const timer = setInterval(() => void look(), limits.tlsLookMs);
  timer.unref();
  return {
    url: urlOf(host, server),
    reload: look,
    async close() {
      clearInterval(timer);
      const closed = once(server, 'close');
      server.close();
      server.closeIdleConnections();
      connections.endHandshakes();
      const late = setTimeout(connections.endAll, limits.stopMs);
      await closed;
      clearTimeout(late);
    },
  };
}

const bounds = {
  requestTimeout: limits.requestBodyMs,
  headersTimeout: limits.requestBodyMs,
  keepAliveTimeout: limits.keepAliveMs,
} as const;

function secured({ certificate, key, authorities }: TlsMaterial): TlsOptions {
  return {
    cert: certificate,
    key,
    ca: [...authorities],
    requestCert: true,
    rejectUnauthorized: true,
    minVersion: 'TLSv1.2',
    // A resumed session would be believed without its certificate being checked against today's authorities.
    secureOptions: constants.SSL_OP_NO_TICKET,
  };
}

interface Connections {
  /** Ends those that have not told who they are. */
  endHandshakes(): void;
  endAll(): void;
}

/** Notes who stands at the other end of each connection; the server itself could end only those that speak HTTP by then. */
function followConnections(server: HttpsServer, peers: PeerBook): Connections {
  const open = new Map<string, { readonly socket: Socket; readonly era: number; isSecure: boolean }>();
  server.prependListener('connection', (socket: Socket) => {
    const key = endOf(socket);
    // A handshake that has begun goes on with the authorities of before.
    open.set(key, { socket, era: peers.era(), isSecure: false });
    socket.once('close', () => open.delete(key));
  });
  server.on('secureConnection', (socket) => {
    const connection = open.get(endOf(socket));
    if (connection) connection.isSecure = true;
    notePeer(peers, socket, connection?.era);
  });
  const end = (wanted: (isSecure: boolean) => boolean): void => {
    for (const { socket, isSecure } of open.values()) if (wanted(isSecure)) socket.destroy();
  };
  return { endHandshakes: () => end((isSecure) => !isSecure), endAll: () => end(() => true) };
}

/** The other end of an open connection, which no other one has. */
function endOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}

/** TLS has checked the chain; which account it is, each request asks anew. */
function notePeer(peers: PeerBook, socket: TLSSocket, era: number | undefined): void {
  const { raw } = socket.getPeerCertificate() as { raw?: Buffer };
  if (!socket.authorized || raw === undefined || era === undefined) {
    socket.destroy();
    return;
  }
  const certificate = new X509Certificate(raw);
  peers.note(socket, {
    fingerprint: certificate.fingerprint256.replaceAll(':', '').toLowerCase(),
    subject: certificate.subject.replaceAll('\n', ','),
    validToMs: certificate.validToDate.getTime(),
    era,
  });
}

function reloading(deps: GatewayDeps, server: HttpsServer, first: TlsMaterial) {
  const { paths, peers, clock, log } = deps;
  const complaints = complaining(log);
  let known = first;
  let named = peers.clients();
  const leftOut = (stamp: string): void => {
    const of = known.leftOut.join('; ');
    complaints.say(
      'authorities',
      stamp,
      of === '' ? undefined : new Error(of),
      'the gateway does without an authority',
    );
  };
  const table = async (): Promise<void> => {
    const clients = await readClientFile(paths);
    if (JSON.stringify(clients) === JSON.stringify(named)) return;
    peers.name(clients);
    named = clients;
    log.info({ clients: clients.length }, 'the gateway’s table of clients was read again');
  };
  const certificates = async (): Promise<void> => {
    const next = await readTlsFiles(paths, clock.nowMs());
    const isSame = JSON.stringify(secured(next)) === JSON.stringify(secured(known));
    const isTaken = known.authorities.some((one) => !next.authorities.includes(one));
    known = next;
    if (isSame) return;
    server.setSecureContext(secured(next));
    // Connections that another authority let in must come again: the idle ones now, those at work with their next request.
    if (isTaken) peers.distrust();
    server.closeIdleConnections();
    log.info({ expires: new Date(next.expiresMs).toISOString() }, 'the gateway’s certificates were read again');
  };
  return async (): Promise<void> => {
    const stamp = await stampOf(paths);
    // The table first and by itself: a client that was taken out is out, whatever is wrong with certificates.
    const ofTable = await failureOf(table);
    complaints.say('table', stamp, ofTable, 'the gateway’s new table does not serve; the old stays in force');
    const ofFiles = await failureOf(certificates);
    complaints.say('files', stamp, ofFiles, 'the gateway’s new files do not serve; the old stay in force');
    leftOut(stamp);
  };
}

async function failureOf(work: () => Promise<void>): Promise<Error | undefined> {
  return work().then(
    () => undefined,
    (error: unknown) => (error instanceof Error ? error : new Error('unknown', { cause: error })),
  );
}

interface Complaints {
  say(about: string, stamp: string, error: Error | undefined, what: string): void;
}

/** Says what is wrong once, not at every look; and again when a file has changed. */
function complaining(log: GatewayDeps['log']): Complaints {
  const said = new Map<string, string>();
  return {
    say(about, stamp, error, what) {
      if (error === undefined) {
        said.delete(about);
        return;
      }
      const text = `${stamp} ${error instanceof Refusal ? error.code : error.name}: ${error.message}`;
      if (said.get(about) !== text) log.warn({ err: error }, what);
      said.set(about, text);
    },
  };
}

function urlOf(host: string, server: HttpsServer): string {
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return `https://${host.includes(':') ? `[${host}]` : host}:${port}`;
}
