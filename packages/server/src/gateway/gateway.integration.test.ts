import { connect as connectPlain } from 'node:net';
import { connect } from 'node:tls';
import { text } from 'node:stream/consumers';
import type { KeyAndCertificate } from '@assay/ledger/testing';
import { setRoles } from '@assay/store';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { createTestJob, openScene, type Person, type Scene } from '../market-scene.setup.ts';
import {
  authority,
  clientTable,
  enrolled,
  fingerprintOf,
  past,
  Program,
  tlsFolder,
  type TlsFolder,
} from './tls-scene.setup.ts';

const ca = authority('ca');
const otherCa = authority('ca');
const server = enrolled(ca, 'gateway');
const operator = enrolled(ca, 'operator');
const auditor = enrolled(ca, 'auditor');
const customer = enrolled(ca, 'customer');
const unnamed = enrolled(ca, 'unnamed');

const rows = [
  { fingerprint: fingerprintOf(operator), account: 'oscar@example.org', scopes: ['ledger', 'metrics'] },
  { subject: 'O=Example,CN=auditor', account: 'audrey@example.org' },
  { fingerprint: fingerprintOf(customer), account: 'carol@example.org', scopes: ['ledger', 'metrics', 'jobs:read'] },
];

describe('the gateway', () => {
  let scene: Scene;
  let folder: TlsFolder;
  let people: Record<'oscar' | 'audrey' | 'carol', Person>;
  let jobId: string;
  const programs: Program[] = [];

  beforeAll(async () => {
    folder = await tlsFolder();
    await folder.write('certificate', server.certificate);
    await folder.write('key', server.key);
    await folder.write('authorities', ca.certificate);
    await folder.write('clients', clientTable(...rows));
    scene = await openScene({
      ASSAY_GATEWAY_PORT: '0',
      ASSAY_GATEWAY_CERT: folder.paths.certificate,
      ASSAY_GATEWAY_KEY: folder.paths.key,
      ASSAY_GATEWAY_CLIENT_CA: folder.paths.authorities,
      ASSAY_GATEWAY_CLIENTS: folder.paths.clients,
    });
    people = {
      oscar: await scene.person('oscar', ['operator']),
      audrey: await scene.person('audrey', ['auditor']),
      carol: await scene.person('carol', ['customer']),
    };
    jobId = (await createTestJob(people.carol)).id;
    await scene.settle();
  });
  afterAll(async () => {
    for (const program of programs) program.close();
    await scene.close();
    await folder.remove();
  });

  const gateway = () => {
    const { gateway: open } = scene.running;
    if (!open) throw new Error('the scene has a gateway');
    return open;
  };
  const program = (own?: KeyAndCertificate): Program => {
    const made = new Program(gateway().url, ca, own);
    programs.push(made);
    return made;
  };
  const query = `/chaincode/query?contract=Contract&fn=getContract&args=`;
  const ask = (): string => `${query}${encodeURIComponent(JSON.stringify([jobId]))}`;
  const invoke = () => ({ contract: 'Contract', fn: 'activateContract', args: [jobId] });

  test('invokes and queries for whom the table names, by fingerprint and by subject', async () => {
    const done = await program(operator).call('POST', '/chaincode/invoke', invoke());
    expect(done).toMatchObject({ status: 200, body: expect.stringContaining('"txId"') as string });
    expect(await program(operator).call('POST', '/chaincode/invoke', invoke())).toEqual(done);
    const read = await program(auditor).call('GET', ask());
    expect(read).toMatchObject({ status: 200, body: expect.stringContaining('FUNDED') as string });
    const [line] = await scene.database.db.query<{ actor: string; data: { certificate: string } }>(
      `SELECT actor, data FROM audit_log WHERE action = 'ledger.invoke'`,
    );
    expect(line).toMatchObject({
      actor: people.oscar.account,
      data: { certificate: fingerprintOf(operator).replaceAll(':', '').toLowerCase() },
    });
  });

  test('gives a certificate the rights of its account and its scopes, and not those of a key beside it', async () => {
    const key = { authorization: `Bearer ${people.oscar.key}` };
    for (const headers of [{}, key, { cookie: 'assay_session=ses_1' }]) {
      const refused = await program(auditor).call('POST', '/chaincode/invoke', invoke(), headers);
      expect(refused).toMatchObject({ status: 403, code: 'auth.forbidden' });
    }
    expect(await program(customer).call('GET', ask(), undefined, key)).toMatchObject({ status: 403 });
    expect(await program(customer).call('GET', '/ledger/blocks')).toMatchObject({ status: 200 });
  });

  test('asks for the roles anew with each request', async () => {
    const asking = program(auditor);
    expect(await asking.call('GET', ask())).toMatchObject({ status: 200 });
    await setRoles(scene.database.db, people.audrey.account, ['customer']);
    expect(await asking.call('GET', ask())).toMatchObject({ status: 403 });
    await setRoles(scene.database.db, people.audrey.account, ['auditor']);
    expect(await asking.call('GET', ask())).toMatchObject({ status: 200 });
  });

  test('answers a certificate that nobody named with a code', async () => {
    for (const path of [ask(), '/health/live', '/metrics', '/ledger/head']) {
      expect(await program(unnamed).call('GET', path)).toMatchObject({ status: 401, code: 'auth.unknown_certificate' });
    }
  });

  test.each([
    ['no certificate', undefined],
    ['one of another authority of the same name', enrolled(otherCa, 'operator')],
    ['one that has ended', enrolled(ca, 'operator', past)],
  ])('lets nobody in with %s', async (_what, own) => {
    await expect(program(own).call('GET', '/health/live')).rejects.toThrow(/./);
  });

  test.each([
    ['GET', '/jobs'],
    ['GET', '/'],
    ['GET', '/events'],
    ['POST', '/sessions'],
    ['POST', '/work/exchange'],
    ['POST', '/payment/webhook/eu'],
    ['GET', '/nothing'],
  ] as const)('has no %s %s', async (method, path) => {
    const answer = await program(operator).call(method, path, method === 'POST' ? {} : undefined);
    expect(answer).toMatchObject({ status: 404, code: 'request.unknown_path' });
  });

  test('shows health to its clients, and figures only to operators with the scope', async () => {
    expect(await program(auditor).call('GET', '/health/ready')).toMatchObject({ status: 200 });
    expect(await program(operator).call('GET', '/metrics')).toMatchObject({
      status: 200,
      body: expect.stringContaining('assay_ledger_height') as string,
    });
    for (const own of [auditor, customer]) {
      expect(await program(own).call('GET', '/metrics')).toMatchObject({ status: 403, code: 'auth.forbidden' });
    }
  });

  test('still wants keys, whole requests and its own words', async () => {
    const asking = program(operator);
    expect(await asking.call('POST', '/chaincode/invoke', invoke(), { 'idempotency-key': '' })).toMatchObject({
      code: 'idempotency.key_missing',
    });
    const strange = { ...invoke(), as: 'somebody' };
    expect(await asking.call('POST', '/chaincode/invoke', strange)).toMatchObject({ code: 'request.malformed' });
    const huge = { ...invoke(), args: ['x'.repeat(2_000_000)] };
    const tooLarge = await asking.call('POST', '/chaincode/invoke', huge).catch((error: unknown) => error);
    expect(tooLarge instanceof Error || (tooLarge as { status: number }).status === 413).toBe(true);
    const origin = { origin: 'https://evil.example' };
    expect(await program(operator).call('POST', '/chaincode/invoke', invoke(), origin)).toMatchObject({
      code: 'auth.csrf',
    });
  });

  test('answers bytes that are no HTTP with a problem, and those that are no TLS not at all', async () => {
    const { port } = new URL(gateway().url);
    const own = { key: operator.key, cert: operator.certificate, ca: ca.certificate };
    const socket = connect({ host: '127.0.0.1', port: Number(port), ...own });
    socket.write('NONSENSE\r\n\r\n');
    expect(await text(socket)).toContain('request.malformed');
    const plain = connectPlain(Number(port), '127.0.0.1');
    plain.write('GET /health HTTP/1.1\r\nhost: x\r\n\r\n');
    expect(await text(plain).catch(() => '')).not.toContain('HTTP/1.1 200');
    expect(await program(operator).call('GET', '/health/live')).toMatchObject({ status: 200 });
  });

  test('reads its files again: what nobody names any more is refused at once, also on an open connection', async () => {
    const asking = program(operator);
    expect(await asking.call('GET', '/ledger/blocks')).toMatchObject({ status: 200 });
    await folder.write('clients', clientTable(...rows.slice(1)));
    await gateway().reload();
    expect(await asking.call('GET', '/ledger/blocks')).toMatchObject({ status: 401 });

    await folder.write('clients', '{');
    await gateway().reload();
    expect(await program(auditor).call('GET', '/health/live')).toMatchObject({ status: 200 });

    // A new authority for clients, and a new certificate of the server.
    const renewed = enrolled(ca, 'gateway');
    const newcomer = enrolled(otherCa, 'operator');
    await folder.write('certificate', renewed.certificate);
    await folder.write('key', renewed.key);
    await folder.write('authorities', otherCa.certificate);
    await folder.write('clients', clientTable({ fingerprint: fingerprintOf(newcomer), account: 'oscar@example.org' }));
    await gateway().reload();
    expect(await program(newcomer).call('GET', '/ledger/blocks')).toMatchObject({ status: 200 });
    await expect(program(auditor).call('GET', '/health/live')).rejects.toThrow(/./);
  });

  test('asks whom a removed authority let in to come again, also on a connection at work', async () => {
    await folder.write('authorities', `${ca.certificate}\n${otherCa.certificate}`);
    await folder.write('clients', clientTable({ subject: 'O=Example,CN=leaked', account: 'oscar@example.org' }));
    await gateway().reload();
    const { key, certificate: cert } = enrolled(otherCa, 'leaked');
    const { port } = new URL(gateway().url);
    const socket = connect({ host: '127.0.0.1', port: Number(port), key, cert, ca: ca.certificate });
    onTestFinished(() => void socket.destroy());
    let heard = '';
    socket.setEncoding('utf8').on('data', (part: string) => (heard += part));
    const hear = (what: RegExp) => vi.waitFor(() => expect(heard).toMatch(what));
    const body = JSON.stringify(invoke());
    const named = ['host: x', 'content-type: application/json', `content-length: ${body.length}`];
    const post = [
      'POST /chaincode/invoke HTTP/1.1',
      ...named,
      'idempotency-key: of-a-leaked-key',
      'expect: 100-continue',
    ];
    socket.write(`${post.join('\r\n')}\r\n\r\n`);
    await hear(/^HTTP\/1.1 100 /);
    await folder.write('authorities', ca.certificate);
    await gateway().reload();
    // What had begun ends as it would have; the next request gets no further.
    socket.write(body);
    await hear(/\r\n\r\nHTTP\/1.1 (?!401)/);
    heard = '';
    socket.write('GET /ledger/blocks HTTP/1.1\r\nhost: x\r\n\r\n');
    await hear(/^HTTP\/1.1 401 [^]*\r\nconnection: close\r\n[^]*auth\.unknown_certificate/i);
    await vi.waitFor(() => expect(socket.readableEnded).toBe(true));
  });
});

test('a market does not start with files that do not serve, and says which', async () => {
  const folder = await tlsFolder();
  const environment = {
    ASSAY_GATEWAY_PORT: '0',
    ASSAY_GATEWAY_CERT: folder.paths.certificate,
    ASSAY_GATEWAY_KEY: folder.paths.key,
    ASSAY_GATEWAY_CLIENT_CA: folder.paths.authorities,
    ASSAY_GATEWAY_CLIENTS: folder.paths.clients,
  };
  await expect(openScene(environment)).rejects.toMatchObject({ code: 'tls.unreadable' });
  await folder.remove();
});
