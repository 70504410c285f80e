import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { hostResolver } from './host-resolver.ts';

/** The answer to a question for one host: what it asked, and an address where the type has one. */
function answerTo(question: Buffer): Buffer {
  const end = question.indexOf(0, 12) + 5;
  const type = question.readUInt16BE(end - 4);
  const address = { 1: Buffer.from([192, 0, 2, 7]), 28: Buffer.from(`20010db8${'0'.repeat(23)}9`, 'hex') }[type];
  const head = Buffer.alloc(12);
  question.copy(head, 0, 0, 2);
  head.writeUInt16BE(0x8180, 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt16BE(address ? 1 : 0, 6);
  const record = Buffer.from('c00c0000000100000000', 'hex');
  record.writeUInt16BE(type, 2);
  const length = Buffer.from([0, address?.length ?? 0]);
  const answer = address ? [record, length, address] : [];
  return Buffer.concat([head, question.subarray(12, end), ...answer]);
}

describe('the resolver', () => {
  let server: Socket;
  beforeEach(async () => {
    server = createSocket('udp4');
    server.bind(0, '127.0.0.1');
    await once(server, 'listening');
  });
  afterEach(() => void server.close());
  const resolver = () => hostResolver([`127.0.0.1:${server.address().port}`]);

  it('finds the addresses of both families', async () => {
    server.on('message', (question, { port }) => server.send(answerTo(question), port, '127.0.0.1'));
    expect(await resolver().resolve('data.example.org')).toEqual(['192.0.2.7', '2001:db8::9']);
  });

  it('gives up where it is told to, while the name server says nothing', async () => {
    const { resolve, cancel } = resolver();
    const asked = once(server, 'message');
    const answers = Promise.allSettled(Array.from({ length: 64 }, () => resolve('data.example.org')));
    await asked;
    cancel();
    expect((await answers).every(({ status }) => status === 'rejected')).toBe(true);
  });

  it('says so where a host has no address', async () => {
    server.on('message', (question, { port }) => {
      const answer = answerTo(question);
      answer.writeUInt16BE(0x8183, 2);
      answer.writeUInt16BE(0, 6);
      server.send(answer.subarray(0, question.indexOf(0, 12) + 5), port, '127.0.0.1');
    });
    await expect(resolver().resolve('data.example.org')).rejects.toThrow('data.example.org has no address');
  });
});
