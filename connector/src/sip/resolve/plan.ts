import { isIP } from 'node:net';
import { param } from '../message/params.ts';
import { addressOf, type SipUri } from '../message/uri.ts';
import type { Protocol } from '../transport/transport.ts';

/** What has to be asked to find the servers of a URI (RFC 3263 §4, without NAPTR). */
export type Plan =
  /** Nothing: the URI holds an address. */
  | ({ readonly kind: 'address'; readonly address: string } & Endpoint)
  /** Addresses of a host, for the port is given. */
  | ({ readonly kind: 'host'; readonly name: string } & Endpoint)
  /** SRV of these services in order; where there are none, addresses of the host. */
  | {
      readonly kind: 'services';
      readonly services: readonly Service[];
      readonly name: string;
      readonly otherwise: Endpoint;
    }
  | { readonly kind: 'unsupported' };

export interface Endpoint {
  readonly protocol: Protocol;
  readonly port: number;
}

export interface Service {
  readonly protocol: Protocol;
  /** `_sip._udp.example.com` */
  readonly query: string;
}

/** `protocols` are those that can be sent, most liked first. */
export function planOf(uri: SipUri, protocols: readonly Protocol[]): Plan {
  const name = addressOf(param(uri.params, 'maddr') ?? uri.host).toLowerCase();
  const wanted = protocolsOf(uri);
  const usable = wanted.filter((protocol) => protocols.includes(protocol));
  const [only] = usable;
  if (only === undefined) return { kind: 'unsupported' };
  const isAddress = isIP(name) !== 0;
  if (!isAddress && uri.port === undefined) {
    const liked = protocols.filter((protocol) => usable.includes(protocol));
    const services = liked.map((protocol) => ({
      protocol,
      query: `${prefixes[protocol]}.${name}`,
    }));
    return { kind: 'services', services, name, otherwise: endpointOf(only) };
  }
  const endpoint = { ...endpointOf(only), ...(uri.port !== undefined && { port: uri.port }) };
  return isAddress
    ? { kind: 'address', address: name, ...endpoint }
    : { kind: 'host', name, ...endpoint };
}

const prefixes: Record<Protocol, string> = {
  udp: '_sip._udp',
  tcp: '_sip._tcp',
  tls: '_sips._tcp',
};

function endpointOf(protocol: Protocol): Endpoint {
  return { protocol, port: protocol === 'tls' ? 5061 : 5060 };
}

/** §4.1: what the URI allows, its default first. sips is TLS whatever TCP-like transport it names. */
function protocolsOf(uri: SipUri): Protocol[] {
  const transport = param(uri.params, 'transport')?.toLowerCase();
  if (uri.scheme === 'sips') {
    return transport === undefined || transport === 'tcp' || transport === 'tls' ? ['tls'] : [];
  }
  if (transport === undefined) return ['udp', 'tcp'];
  return transport === 'udp' || transport === 'tcp' || transport === 'tls' ? [transport] : [];
}
