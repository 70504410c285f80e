import { describe, expect, it } from 'vitest';
import { isPrivateBlock, networkBlock } from './network-block.ts';

describe('networkBlock', () => {
  it.each([
    ['203.0.113.7', '203.0.113.0/24'],
    ['::ffff:203.0.113.7', '203.0.113.0/24'],
    ['2001:db8:1:2::3', '2001:db8:1::/48'],
    ['2001:DB8:0001:2:3:4:5:6', '2001:db8:1::/48'],
    ['::1', '0:0:0::/48'],
    ['2001::', '2001:0:0::/48'],
  ])('puts %s into %s', (ip, block) => expect(networkBlock(ip)).toBe(block));

  it.each([
    '',
    '1.2.3',
    '256.1.1.1',
    '01.2.3.4',
    '1.2.3.4.5',
    ':::',
    '1::2::3',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    'g::',
    '1:2:3:4:5:6:7::8',
    'localhost',
  ])('does not know %s', (ip) => expect(networkBlock(ip)).toBeUndefined());

  it.each([
    '127.0.0.1',
    '10.9.8.7',
    '172.16.0.1',
    '172.31.255.1',
    '192.168.1.1',
    '169.254.0.9',
    '::1',
    'fc00::1',
    'fd12:3456::1',
    'fe80::1',
  ])('knows %s as private', (ip) => expect(isPrivateBlock(networkBlock(ip)!)).toBe(true));

  it.each(['172.32.0.1', '172.15.0.1', '192.169.0.1', '11.0.0.1', '2001:db8::1', 'ff02::1'])(
    'knows %s as public',
    (ip) => expect(isPrivateBlock(networkBlock(ip)!)).toBe(false),
  );
});
