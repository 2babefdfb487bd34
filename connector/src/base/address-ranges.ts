import { BlockList, isIP, isIPv4 } from 'node:net';

interface Range {
  readonly address: string;
  readonly prefix: number;
}

/** Reads `198.51.100.0/24`, `2001:db8::/32` or a single address; undefined where it is neither. */
export function parseRange(text: string): Range | undefined {
  const [, address = '', digits] = /^([0-9a-fA-F:.]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const bits = { 0: 0, 4: 32, 6: 128 }[isIP(address)] ?? 0;
  const prefix = digits === undefined ? bits : Number(digits);
  return bits === 0 || prefix > bits ? undefined : { address, prefix };
}

/** A set of IP addresses, given as CIDR ranges. What is no range is left out. */
export class AddressRanges {
  // One list each: in a common one ::/0 would hold all IPv4 addresses too.
  readonly #lists = { ipv4: new BlockList(), ipv6: new BlockList() };

  constructor(ranges: readonly string[]) {
    for (const text of ranges) {
      const range = parseRange(text);
      if (!range) continue;
      const family = isIPv4(range.address) ? 'ipv4' : 'ipv6';
      this.#lists[family].addSubnet(range.address, range.prefix, family);
    }
  }

  /** `address` may have a zone (`fe80::1%eth0`) or be an IPv4 address mapped to IPv6. */
  has(address: string): boolean {
    const plain = address.replace(/%.*$/, '').replace(/^::ffff:(?=\d+\.)/i, '');
    switch (isIP(plain)) {
      case 4:
        return this.#lists.ipv4.check(plain, 'ipv4');
      case 6:
        return this.#lists.ipv6.check(plain, 'ipv6');
      default:
        return false;
    }
  }
}
