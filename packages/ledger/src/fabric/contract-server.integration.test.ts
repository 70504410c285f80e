import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client, credentials } from '@grpc/grpc-js';
import { peer } from '@hyperledger/fabric-protos';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { enrolTls, newAuthority } from './authority.ts';
import type { ContractServerSettings } from './contract-server.ts';
import { choosePorts } from './network/ports.ts';

const { Type } = peer.ChaincodeMessage;
const nowMs = Date.now();
const validity = { fromMs: nowMs - 3_600_000, toMs: nowMs + 24 * 3_600_000 };
const authority = newAuthority('PlatformMSP', 'tls', validity);
const own = enrolTls(authority, 'contracts', ['localhost'], validity);
const calling = enrolTls(authority, 'peer', [], validity);

let folder: string;
let server: ChildProcess;
let client: Client;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'assay-contracts-'));
  const [port] = await choosePorts(0, 1);
  const files = { key: own.key, certificate: own.certificate, clientAuthority: authority.certificate };
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text, { mode: 0o600 });
  const settings: ContractServerSettings = {
    packageId: 'assay:1',
    address: `127.0.0.1:${port}`,
    key: join(folder, 'key'),
    certificate: join(folder, 'certificate'),
    clientAuthority: join(folder, 'clientAuthority'),
  };
  await writeFile(join(folder, 'settings.json'), JSON.stringify(settings));
  const program = fileURLToPath(new URL('contract-server-main.ts', import.meta.url));
  server = spawn(process.execPath, [program, join(folder, 'settings.json')], { stdio: 'ignore' });
  const bytes = [authority.certificate, calling.key, calling.certificate].map((text) => Buffer.from(text));
  client = new Client(`localhost:${port}`, credentials.createSsl(...(bytes as [Buffer, Buffer, Buffer])));
  await new Promise<void>((resolve, reject) => {
    client.waitForReady(Date.now() + 20_000, (error) => (error ? reject(error) : resolve()));
  });
});
afterAll(async () => {
  client.close();
  server.kill('SIGKILL');
  await rm(folder, { recursive: true, force: true });
});

// None bears a proposal, as none of these comes with a time stamp: that is answered too.
test('a call with an argument of megabytes is answered, and so are those beside it', { timeout: 20_000 }, async () => {
  const stream = client.makeBidiStreamRequest(
    '/protos.Chaincode/Connect',
    (message: peer.ChaincodeMessage) => Buffer.from(message.serializeBinary()),
    (bytes) => peer.ChaincodeMessage.deserializeBinary(bytes),
  );
  const send = (type: number, id = '', args: readonly string[] = []): void => {
    const input = new peer.ChaincodeInput();
    input.setArgsList(args.map((arg) => Buffer.from(arg)));
    const message = new peer.ChaincodeMessage();
    message.setType(type as (typeof Type)['READY']);
    message.setTxid(id);
    message.setChannelId('channel');
    message.setPayload(input.serializeBinary());
    stream.write(message);
  };
  const answered = new Set<string>();
  const done = Promise.withResolvers<void>();
  stream.on('error', done.reject);
  stream.on('data', (message: peer.ChaincodeMessage) => {
    if (message.getType() === Type.REGISTER) {
      send(Type.REGISTERED);
      send(Type.READY);
      send(Type.TRANSACTION, 'small', ['Contract:unknown']);
      send(Type.TRANSACTION, 'large', ['Contract:unknown', 'x'.repeat(5_000_000)]);
    }
    if (message.getType() !== Type.COMPLETED && message.getType() !== Type.ERROR) return;
    answered.add(message.getTxid());
    if (answered.size === 2) done.resolve();
  });
  await done.promise;
  stream.on('error', () => undefined);
  stream.cancel();
  expect(answered).toEqual(new Set(['small', 'large']));
});
