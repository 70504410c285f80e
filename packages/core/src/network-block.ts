/** The network block of an address, as far as independence of replicas goes: /24 of IPv4, /48 of IPv6. */

/**
 * The block that `ip` lies in, `203.0.113.0/24` or `2001:db8:1::/48`; undefined when `ip` is no address. An IPv4-mapped
 * IPv6 address counts as IPv4.
 */
export function networkBlock(ip: string): string | undefined {
  const v4 = parseV4(ip.toLowerCase().startsWith('::ffff:') && ip.includes('.') ? ip.slice(7) : ip);
  if (v4) return `${v4.slice(0, 3).join('.')}.0/24`;
  const v6 = parseV6(ip);
  return (
    v6 &&
    `${v6
      .slice(0, 3)
      .map((part) => part.toString(16))
      .join(':')}::/48`
  );
}

/** Whether the block is loopback, link-local or private (RFC 1918, RFC 4193): it tells nothing about who is who. */
export function isPrivateBlock(block: string): boolean {
  if (block.includes(':')) return block === '0:0:0::/48' || /^f(?:[cd][0-9a-f]{2}|e[89ab][0-9a-f]):/.test(block);
  const [a = 0, b = 0] = block.split('.').map(Number);
  return (
    a === 127 || a === 10 || (a === 172 && b >= 16 && b <= 31) || (a === 192 && b === 168) || (a === 169 && b === 254)
  );
}

function parseV4(text: string): number[] | undefined {
  const parts = text.split('.');
  if (parts.length !== 4 || !parts.every((part) => /^(?:0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255))
    return undefined;
  return parts.map(Number);
}

function parseV6(text: string): number[] | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const [head = [], tail = []] = halves.map((half) => (half === '' ? [] : half.split(':')));
  const parts = [...head, ...tail];
  if (!parts.every((part) => /^[0-9a-f]{1,4}$/i.test(part))) return undefined;
  const missing = 8 - parts.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined;
  return [...head, ...Array<string>(missing).fill('0'), ...tail].map((part) => Number.parseInt(part, 16));
}
