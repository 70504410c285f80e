import { createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { expect, onTestFinished, test } from 'vitest';
import { choosePorts, portsFrom } from './ports.ts';

test('a network gets ports in a row that systems give to nobody who asks for any', async () => {
  for (let round = 0; round < 5; round += 1) {
    const ports = await portsFrom(undefined, 20);
    const [first = 0] = ports;
    expect(ports).toEqual(Array.from({ length: 20 }, (_, index) => first + index));
    expect([first >= 15_000, first + 20 <= 32_000]).toEqual([true, true]);
  }
});

test('two networks do not get the same ones, so that one may be down', async () => {
  const firsts = await Promise.all(Array.from({ length: 5 }, () => portsFrom(undefined, 1)));
  expect(new Set(firsts.flat()).size).toBeGreaterThan(1);
});

test('a port that is in use is named', async () => {
  const server = createServer().listen({ port: 0, host: '127.0.0.1' });
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await expect(portsFrom(port, 1)).rejects.toMatchObject({
    code: 'config.invalid',
    message: expect.stringContaining(`port ${port} is in use`) as string,
  });
  expect(await choosePorts(0, 3)).toHaveLength(3);
});

test.each([65_530, 70_000, -1, 1.5])('ports that no machine has are refused: from %s on', async (first) => {
  await expect(portsFrom(first, 11)).rejects.toMatchObject({ code: 'config.invalid' });
});
