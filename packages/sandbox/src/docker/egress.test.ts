import { createServer, type Server } from 'node:net';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FrameViolation } from '../capture/frames.ts';
import { bounds } from './bounds.ts';
import { egressTo, noEgress } from './egress.ts';
import { collectorKinds, orderKinds } from './wire.ts';

const number = (value: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
};
const withNumber = (id: number, rest: string | Buffer = '') => Buffer.concat([number(id), Buffer.from(rest)]);

describe('the egress', () => {
  let server: Server;
  let port = 0;
  beforeAll(async () => {
    server = createServer((socket) => void socket.on('error', () => {}).pipe(socket));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    ({ port } = server.address() as AddressInfo);
  });
  afterAll(() => void server.close());

  const open = (addresses: readonly string[] = ['127.0.0.1']) => {
    const sent: { kind: number; id: number; rest: string }[] = [];
    const egress = egressTo(
      [{ host: 'echo.example.org', port }],
      async (frame) => {
        const bytes = Buffer.from(frame);
        sent.push({ kind: bytes[0] ?? 0, id: bytes.readUInt32BE(5), rest: bytes.toString('latin1', 9) });
      },
      { resolve: async () => addresses, admits: (address) => address === '127.0.0.1' },
    );
    const until = async (kind: number, count = 1) => {
      for (let look = 0; look < 400; look += 1) {
        const found = sent.filter((one) => one.kind === kind);
        if (found.length >= count) return found;
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      throw new Error(`no frame of kind ${kind} among ${JSON.stringify(sent)}`);
    };
    return { egress, sent, until, target: `echo.example.org:${port}` };
  };

  it('carries bytes there and back, and tells both sides what was taken', async () => {
    const { egress, until, target } = open();
    egress.hear(collectorKinds.tunnelOpen, withNumber(7, target.toUpperCase()));
    expect(await until(orderKinds.tunnelOpened)).toEqual([{ kind: orderKinds.tunnelOpened, id: 7, rest: '' }]);
    egress.hear(collectorKinds.tunnelData, withNumber(7, 'ping'));
    expect((await until(orderKinds.tunnelTaken))[0]?.rest).toBe('\0\0\0\x04');
    expect((await until(orderKinds.tunnelData))[0]).toMatchObject({ id: 7, rest: 'ping' });
    egress.hear(collectorKinds.tunnelTaken, withNumber(7, number(4)));
    egress.hear(collectorKinds.tunnelEnd, withNumber(7));
    await until(orderKinds.tunnelEnd);
    expect(egress.connections()).toEqual([{ host: 'echo.example.org', port, allowed: true, bytes: 8 }]);
    egress.close();
  });

  it('refuses a name of which one address leads inside', async () => {
    const { egress, until, target } = open(['127.0.0.1', '10.0.0.1']);
    egress.hear(collectorKinds.tunnelOpen, withNumber(1, target));
    expect((await until(orderKinds.tunnelRefused))[0]?.rest).toContain('public');
    expect(egress.connections()).toEqual([{ host: 'echo.example.org', port, allowed: false, bytes: 0 }]);
  });

  it('gives up looking hosts up when it closes', async () => {
    let given = 0;
    const egress = egressTo([{ host: 'echo.example.org', port }], async () => {}, {
      resolve: () => new Promise(() => {}),
      cancel: () => (given += 1),
    });
    egress.hear(collectorKinds.tunnelOpen, withNumber(1, `echo.example.org:${port}`));
    egress.close();
    expect(given).toBe(1);
  });

  it('bounds connections', async () => {
    const { egress, until, target } = open();
    for (let id = 1; id <= bounds.tunnelsOpen + 1; id += 1)
      egress.hear(collectorKinds.tunnelOpen, withNumber(id, target));
    expect((await until(orderKinds.tunnelRefused))[0]?.id).toBe(bounds.tunnelsOpen + 1);
    await until(orderKinds.tunnelOpened, bounds.tunnelsOpen);
    egress.close();
  });

  it('stops reading when the unit takes nothing', async () => {
    const { egress, sent, until, target } = open();
    egress.hear(collectorKinds.tunnelOpen, withNumber(1, target));
    await until(orderKinds.tunnelOpened);
    const piece = 'x'.repeat(32 * 1024);
    for (let count = 0; count < 64; count += 1) egress.hear(collectorKinds.tunnelData, withNumber(1, piece));
    await until(orderKinds.tunnelData, 8);
    await new Promise((resolve) => setTimeout(resolve, 200));
    const back = sent
      .filter((one) => one.kind === orderKinds.tunnelData)
      .reduce((sum, one) => sum + one.rest.length, 0);
    // A piece of the socket's own may be under way when it is told to pause.
    expect(back).toBeLessThan(2 * bounds.tunnelWindowBytes);
    egress.close();
  });

  it.each([
    ['no number', collectorKinds.tunnelOpen, Buffer.alloc(3)],
    ['a number twice', collectorKinds.tunnelOpen, withNumber(1, 'echo.example.org:1')],
    ['more than was sent', collectorKinds.tunnelTaken, withNumber(1, number(1))],
    ['an odd amount', collectorKinds.tunnelTaken, withNumber(1, 'x')],
  ])('calls %s a breach', (_what, kind, payload) => {
    const { egress, target } = open();
    egress.hear(collectorKinds.tunnelOpen, withNumber(1, target));
    expect(() => egress.hear(kind, payload)).toThrow(FrameViolation);
    egress.close();
  });

  it('of a unit without a network is a breach altogether', () => {
    expect(() => noEgress().hear(collectorKinds.tunnelOpen, withNumber(1, 'a.b:1'))).toThrow(FrameViolation);
    expect(noEgress().connections()).toEqual([]);
  });
});
