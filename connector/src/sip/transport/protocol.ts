/** How SIP messages travel: RFC 3261 §18, and over WebSocket RFC 7118. */
const protocols = ['udp', 'tcp', 'tls', 'ws', 'wss'] as const;

export type Protocol = (typeof protocols)[number];

export function isProtocol(text: string | undefined): text is Protocol {
  return protocols.some((protocol) => protocol === text);
}

/** True where the listen point needs a certificate. */
export function isSecure(protocol: Protocol): boolean {
  return protocol === 'tls' || protocol === 'wss';
}

export function isWebSocket(protocol: Protocol): boolean {
  return protocol === 'ws' || protocol === 'wss';
}

/** A WebSocket is opened by the client only: a server can use what there is (RFC 7118 §5). */
export function canConnect(protocol: Protocol): boolean {
  return !isWebSocket(protocol);
}

const ports: Record<Protocol, number> = { udp: 5060, tcp: 5060, tls: 5061, ws: 80, wss: 443 };

/** Where no port is named (RFC 3261 §19.1.2, RFC 7118 §5.2.1). */
export function defaultPort(protocol: Protocol): number {
  return ports[protocol];
}

/** As URIs say it: `ws` names both WebSocket transports (RFC 7118 §5.2.2), UDP needs no word. */
export function transportParam(protocol: Protocol): string {
  if (protocol === 'udp') return '';
  return `;transport=${protocol === 'wss' ? 'ws' : protocol}`;
}
