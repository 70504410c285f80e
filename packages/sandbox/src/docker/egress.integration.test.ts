import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runPython } from '@assay/core/conformance';
import { dockerKit, neededFor, type DockerKit } from './driver.setup.ts';

const big = 3 * 1024 * 1024;

describe.each(['runc', 'runsc'] as const)('docker on %s', (runtime) => {
  const { skip, why } = neededFor(runtime);
  describe.skipIf(skip)(`lets a unit out to what its manifest lists${why}`, () => {
    let kit: DockerKit;
    let server: Server;
    let port = 0;
    let uploaded = 0;
    beforeAll(async () => {
      server = createServer((request, response) => {
        if (request.method === 'PUT') {
          request.on('data', (bytes: Buffer) => (uploaded += bytes.length));
          request.on('end', () => response.end(String(uploaded)));
        } else if (request.url === '/big') response.end(Buffer.alloc(big, 'x'));
        else response.end(`${request.method} ${request.url} ${request.headers.host}`);
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      ({ port } = server.address() as AddressInfo);
      const hosts: Record<string, string[]> = { 'data.example.org': ['127.0.0.1'], 'inside.example.org': ['10.0.0.1'] };
      kit = await dockerKit({
        runtime,
        egress: { resolve: async (host) => hosts[host] ?? [], admits: (address) => address === '127.0.0.1' },
      });
    }, 60_000);
    afterAll(async () => {
      await kit.close();
      server.close();
    });

    const targets = () => [
      { host: 'data.example.org', port },
      { host: 'inside.example.org', port },
      { host: 'nowhere.example.org', port },
    ];

    it('through a proxy, in plain and tunnelled, both ways, and tells of each connection', async () => {
      const code = `
import http.client, urllib.request
base = 'http://data.example.org:${port}'
print(urllib.request.urlopen(base + '/a?b=c').read().decode())
print(len(urllib.request.urlopen(base + '/big').read()))
put = urllib.request.Request(base + '/put', data=b'y' * ${big}, method='PUT')
print(urllib.request.urlopen(put).read().decode())
tunnel = http.client.HTTPConnection('127.0.0.1', 3128)
tunnel.set_tunnel('data.example.org', ${port})
tunnel.request('GET', '/tunnelled')
print(tunnel.getresponse().read().decode())
`;
      const ran = await runPython(kit, code, { network: targets() });
      expect(ran.stderr).toBe('');
      expect(ran.stdout.split('\n')).toEqual([
        `GET /a?b=c data.example.org:${port}`,
        String(big),
        String(big),
        `GET /tunnelled data.example.org:${port}`,
        '',
      ]);
      const { connections = [] } = ran.outcome.evidence;
      expect(connections.map(({ host, allowed }) => [host, allowed])).toEqual(
        Array.from({ length: 4 }, () => ['data.example.org', true]),
      );
      expect(connections[1]?.bytes).toBeGreaterThan(big);
      expect(connections[2]?.bytes).toBeGreaterThan(big);
    });

    it('and to nothing else', async () => {
      const code = `
import socket, urllib.request, urllib.error
def ask(url):
    try:
        return urllib.request.urlopen(url, timeout=5).status
    except urllib.error.HTTPError as error:
        return error.code
for host in ('other.example.org:${port}', 'data.example.org:${port + 1}', '127.0.0.1:${port}', '169.254.169.254',
             '[::1]:${port}', '2130706433:${port}', 'inside.example.org:${port}', 'nowhere.example.org:${port}'):
    print(host, ask('http://' + host + '/'))
try:
    socket.create_connection(('127.0.0.1', ${port}), 2)
    print('reached directly')
except OSError:
    print('not reached')
`;
      const ran = await runPython(kit, code, {
        network: targets(),
        environment: { no_proxy: '' },
      });
      expect(ran.stdout.split('\n').filter((line) => !line.endsWith(' 403'))).toEqual(['not reached', '']);
      const { connections = [] } = ran.outcome.evidence;
      expect(connections).toHaveLength(8);
      expect(connections.filter(({ allowed, bytes }) => allowed || bytes > 0)).toEqual([]);
      expect(connections[3]).toMatchObject({ host: '169.254.169.254', port: 80 });
    });

    it('and has no proxy without a list', async () => {
      const ran = await runPython(
        kit,
        "import os, socket\nprint([k for k in os.environ if 'proxy' in k.lower()])\ntry: print(socket.socket())\nexcept OSError as error: print(error.errno)",
      );
      expect(ran.stdout).toBe('[]\n1\n');
    });

    it('which a confidential driver refuses', async () => {
      const strict = kit.another({ isolation: 'confidential' });
      const run = runPython({ ...kit, driver: strict }, 'pass', { network: targets() });
      await expect(run).rejects.toMatchObject({ code: 'sandbox.refused' });
      await strict.close();
    });
  });
});
