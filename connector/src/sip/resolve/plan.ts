import { isIP } from 'node:net';
import { param } from '../message/params.ts';
import { addressOf, type SipUri } from '../message/uri.ts';
import { defaultPort, isProtocol, isSecure, type Protocol } from '../transport/protocol.ts';

/** What has to be asked to find the servers of a URI (RFC 3263 §4). */
export type Plan =
  /** Nothing: the URI holds an address. */
  | ({ readonly kind: 'address'; readonly address: string } & Endpoint)
  /** Addresses of a host, for the port is given. */
  | ({ readonly kind: 'host'; readonly name: string } & Endpoint)
  /**
   * SRV of these services in order, those that NAPTR names first; where there are none, addresses of the
   * host.
   */
  | {
      readonly kind: 'services';
      readonly services: readonly Service[];
      readonly name: string;
      /** Protocols that a NAPTR record may lead to; none where the URI has chosen. */
      readonly open: readonly Protocol[];
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
    return {
      kind: 'services',
      services,
      name,
      open: openOf(uri, protocols),
      otherwise: endpointOf(only),
    };
  }
  const endpoint = { ...endpointOf(only), ...(uri.port !== undefined && { port: uri.port }) };
  return isAddress
    ? { kind: 'address', address: name, ...endpoint }
    : { kind: 'host', name, ...endpoint };
}

/** RFC 3263 §4.1; of WebSocket as RFC 7118 §5.3 lets NAPTR name it. */
const prefixes: Record<Protocol, string> = {
  udp: '_sip._udp',
  tcp: '_sip._tcp',
  tls: '_sips._tcp',
  ws: '_sip._ws',
  wss: '_sips._ws',
};

function endpointOf(protocol: Protocol): Endpoint {
  return { protocol, port: defaultPort(protocol) };
}

/** §4.1: NAPTR chooses the transport where the URI names none; of a sips URI only a secure one. */
function openOf(uri: SipUri, protocols: readonly Protocol[]): readonly Protocol[] {
  if (param(uri.params, 'transport') !== undefined) return [];
  return uri.scheme === 'sips' ? protocols.filter(isSecure) : protocols;
}

/** §4.1: what the URI allows, its default first. sips is TLS whatever TCP-like transport it names. */
function protocolsOf(uri: SipUri): Protocol[] {
  const transport = param(uri.params, 'transport')?.toLowerCase();
  // RFC 7118 §5.2.2: both kinds of WebSocket are called ws.
  const isWebSocket = transport === 'ws' || transport === 'wss';
  if (uri.scheme === 'sips') {
    if (isWebSocket) return ['wss'];
    return transport === undefined || transport === 'tcp' || transport === 'tls' ? ['tls'] : [];
  }
  if (transport === undefined) return ['udp', 'tcp'];
  if (isWebSocket) return transport === 'ws' ? ['ws', 'wss'] : ['wss'];
  return isProtocol(transport) ? [transport] : [];
}
