/** Which addresses a unit may be let out to: those of the public internet. */

import { BlockList, isIPv4, isIPv6 } from 'node:net';

/** Special ranges of IPv4 (IANA), and the one public address behind which a cloud keeps its metadata. */
const closed4 = (
  '0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 192.0.2.0/24 ' +
  '192.88.99.0/24 192.168.0.0/16 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 224.0.0.0/4 240.0.0.0/4 168.63.129.16/32'
).split(' ');

/** Within the global unicast range of IPv6: tunnels, benchmarks and examples, which may lead anywhere. */
const closed6 = '2001::/23 2001:db8::/32 2002::/16 3fff::/20'.split(' ');

function rangesOf(type: 'ipv4' | 'ipv6', ranges: readonly string[]): BlockList {
  const list = new BlockList();
  for (const range of ranges) {
    const [net = '', prefix] = range.split('/');
    list.addSubnet(net, Number(prefix), type);
  }
  return list;
}

const refused4 = rangesOf('ipv4', closed4);
const refused6 = rangesOf('ipv6', closed6);
const global6 = rangesOf('ipv6', ['2000::/3']);

/** Whether the address is one of the public internet. */
export function isPublicAddress(address: string): boolean {
  if (isIPv4(address)) return !refused4.check(address, 'ipv4');
  // A zone leads to a link; an address of IPv4 in the clothes of IPv6 lies outside of the global range.
  if (!isIPv6(address) || address.includes('%')) return false;
  return global6.check(address, 'ipv6') && !refused6.check(address, 'ipv6');
}
