import { BlockList, isIP } from 'node:net';

/**
 * Networks a tool may not reach unless its owner allows it: this host, private and link-local networks
 * (with the clouds' metadata servers), and everything else that is no public unicast address.
 */
const networks = [
  // RFC 6890 and the IANA special-purpose registry, IPv4.
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
  // Azure's wire server answers on a public address inside each virtual network.
  '168.63.129.16/32',
  // IPv6; what carries an IPv4 address inside (NAT64, 6to4, Teredo, compatible) could lead back here.
  '::/96',
  '64:ff9b::/96',
  '64:ff9b:1::/48',
  '100::/64',
  '2001::/32',
  '2001:db8::/32',
  '2002::/16',
  'fc00::/7',
  'fe80::/10',
  'fec0::/10',
  'ff00::/8',
] as const;

const blocked = new BlockList();
for (const network of networks) {
  const [address = '', prefix = ''] = network.split('/');
  blocked.addSubnet(address, Number(prefix), address.includes(':') ? 'ipv6' : 'ipv4');
}

/** True for what is no public unicast address, and for what is no address. */
export function isForbiddenAddress(address: string): boolean {
  // A zone (fe80::1%eth0) means link-local.
  const family = isIP(address);
  if (family === 0 || address.includes('%')) return true;
  // BlockList compares IPv4-mapped IPv6 addresses with the IPv4 networks.
  return blocked.check(address, family === 6 ? 'ipv6' : 'ipv4');
}
