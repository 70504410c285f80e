import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openGateway, type Gateway } from './listener.ts';
import { openPeerBook, type PeerBook } from './peers.ts';
import { authority, clientTable, enrolled, fingerprintOf, tlsFolder, type TlsFolder } from './tls-scene.setup.ts';

const hour = 3_600_000;
const ca = authority('ca');
/** Ends before the other authority does. */
const partner = authority('partner', { fromMs: Date.now() - hour, toMs: Date.now() + hour });
const server = enrolled(ca, 'gateway');
const row = { fingerprint: fingerprintOf(enrolled(ca, 'erp')), account: 'erp@example.org' };

describe('a gateway that reads its files again', () => {
  let folder: TlsFolder;
  let peers: PeerBook;
  let gateway: Gateway;
  let nowMs: number;
  let warned: string[];

  const open = (): Promise<Gateway> =>
    openGateway({
      paths: folder.paths,
      host: '127.0.0.1',
      port: 0,
      peers,
      clock: { nowMs: () => nowMs },
      log: {
        info: () => undefined,
        warn: ({ err }: { readonly err: Error }) => void warned.push(err.message),
      },
      answer: (_request, response) => response.end(),
      answerMalformed: (_error, socket) => socket.destroy(),
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
