import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { openGateway, type Gateway, type GatewayDeps } from './listener.ts';
import { openPeerBook, type PeerBook } from './peers.ts';
import { authority, clientTable, enrolled, fingerprintOf, tlsFolder, type TlsFolder } from './tls-scene.setup.ts';

const hour = 3_600_000;
const ca = authority('ca');
/** Ends before the other authority does. */
const partner = authority('partner', { fromMs: Date.now() - hour, toMs: Date.now() + hour });
const server = enrolled(ca, 'gateway');
const erp = enrolled(ca, 'erp');
const row = { fingerprint: fingerprintOf(erp), account: 'erp@example.org' };

describe('a gateway', () => {
  let folder: TlsFolder;
  let peers: PeerBook;
  let gateway: Gateway;
  let nowMs: number;
  let warned: string[];

  const open = (bounds: Pick<GatewayDeps, 'handshakeMs' | 'connections'> = {}): Promise<Gateway> =>
    openGateway({
      paths: folder.paths,
      host: '127.0.0.1',
      port: 0,
      peers,
      clock: { nowMs: () => nowMs },
      log: {
        info: () => undefined,
        warn: ({ err, turnedAway }: { readonly err?: Error; readonly turnedAway?: number }) =>
          void warned.push(err?.message ?? `turned away: ${turnedAway}`),
      },
      answer: (_request, response) => response.end(),
      answerMalformed: (_error, socket) => socket.end('this is no HTTP'),
      ...bounds,
    });

  beforeEach(async () => {
    nowMs = Date.now();
    warned = [];
    peers = openPeerBook();
    folder = await tlsFolder();
    await folder.write('certificate', server.certificate);
    await folder.write('key', server.key);
    await folder.write('authorities', `${ca.certificate}\n${partner.certificate}`);
    await folder.write('clients', clientTable(row));
    gateway = await open();
  });
  afterEach(async () => {
    await gateway.close();
    await folder.remove();
  });

  /** A connection that its program keeps, whatever the server does with its end. */
  const connected = async (): Promise<Socket> => {
    const socket = connect({ port: Number(new URL(gateway.url).port), host: '127.0.0.1', allowHalfOpen: true });
    onTestFinished(() => void socket.destroy());
    socket.on('error', () => undefined).resume();
    await once(socket, 'connect');
    return socket;
  };

  test('keeps no connection whose handshake does not come to its end', { timeout: 10_000 }, async () => {
    await gateway.close();
    gateway = await open({ handshakeMs: 100 });
    expect(await once(await connected(), 'end')).toEqual([]);
  });

  test('says once that it is full', async () => {
    await gateway.close();
    gateway = await open({ connections: 1 });
    await connected();
    for (let more = 0; more < 2; more += 1) await once(await connected(), 'end');
    await gateway.reload();
    await gateway.reload();
    expect(warned).toEqual(['turned away: 2']);
  });

  test('closes although somebody has connected and says nothing', { timeout: 10_000 }, async () => {
    const silent = await connected();
    const tls = { key: erp.key, cert: erp.certificate, ca: ca.certificate };
    const asking = connectTls({ port: Number(new URL(gateway.url).port), host: '127.0.0.1', ...tls });
    onTestFinished(() => void asking.destroy());
    asking.on('error', () => undefined).resume();
    asking.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
    // Whoever connected before is known by now.
    await once(asking, 'data');
    await gateway.close();
    await vi.waitFor(() => expect([silent.readableEnded, asking.destroyed]).toEqual([true, true]));
    gateway = await open();
  });

  test('takes a client out although an authority has ended, and says once which', async () => {
    expect(warned).toEqual([]);
    nowMs += 2 * hour;
    await gateway.reload();
    await gateway.reload();
    expect(warned).toEqual([expect.stringContaining('CN=partner ended at')]);
    await folder.write('clients', clientTable());
    await gateway.reload();
    expect(peers.clients()).toEqual([]);
    await gateway.close();
    warned = [];
    gateway = await open();
    expect(warned).toEqual([expect.stringContaining('CN=partner ended at')]);
  });

  test('takes a client out although the certificates do not serve', async () => {
    await folder.write('certificate', 'nothing');
    await gateway.reload();
    expect(peers.clients()).toHaveLength(1);
    await folder.write('clients', clientTable());
    await gateway.reload();
    expect(peers.clients()).toEqual([]);
  });

  test('complains once of files as they are, and anew when one changes', async () => {
    for (const wrong of ['nothing', 'nothing else']) {
      await folder.write('certificate', wrong);
      await gateway.reload();
      await gateway.reload();
    }
    expect(warned).toEqual(Array(2).fill(`${folder.paths.certificate} holds no certificate in PEM`));
    await folder.write('clients', '{');
    await gateway.reload();
    expect(warned.slice(2).toSorted()).toEqual(
      [`${folder.paths.certificate} holds no certificate in PEM`, `${folder.paths.clients} is not JSON`].toSorted(),
    );
    expect(peers.clients()).toHaveLength(1);
  });
});
