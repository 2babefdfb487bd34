import type { Clock } from '../../src/base/clock.ts';
import { systemClock } from '../../src/base/clock.ts';
import { silentLog } from '../../src/base/log.ts';
import { type SipServer, startSipServer } from '../../src/drachtio/start.ts';
import type { InboundAuth } from '../../src/sip/core/gatekeeper.ts';
import type { TlsSettings } from '../../src/sip/transport/tls.ts';
import type { ListenPoint } from '../../src/sip/transport/transport.ts';
import { connected, createSrf, type Handler, type Srf } from './client.ts';

export const secret = 'open sesame';

const verbs = [
  'invite',
  'options',
  'message',
  'info',
  'notify',
  'subscribe',
  'publish',
  'register',
  'refer',
];

/** A SIP server with one application on it. */
export interface Site {
  readonly server: SipServer;
  readonly srf: Srf;
  /** Where its UDP is: `127.0.0.1:50123`. */
  readonly address: string;
  readonly tcpAddress: string;
  /** Handlers of requests outside of dialogs, by lower-case method; nobody there is a 404 of the client. */
  readonly on: Record<string, Handler>;
  /** Takes the application away. Idempotent. */
  disconnect(): void;
  close(): Promise<void>;
}

interface ServerOptions {
  readonly clock?: Clock;
  readonly drachtioPort?: number;
  readonly auth?: InboundAuth;
  /** UDP and TCP of 127.0.0.1 where absent. */
  readonly listen?: readonly ListenPoint[];
  readonly tls?: TlsSettings;
}

const loopback: readonly ListenPoint[] = [
  { protocol: 'udp', address: '127.0.0.1', port: 0 },
  { protocol: 'tcp', address: '127.0.0.1', port: 0 },
];

export async function startServer(options: ServerOptions = {}): Promise<SipServer> {
  const { clock = systemClock, drachtioPort = 0, auth, listen = loopback, tls } = options;
  return startSipServer({
    listen,
    ...(tls && { tls }),
    drachtio: { address: '127.0.0.1', port: drachtioPort, secret },
    ...(auth && { auth }),
    clock,
    log: silentLog,
  });
}

export async function startSite(options: ServerOptions = {}): Promise<Site> {
  const server = await startServer(options);
  const on: Record<string, Handler> = {};
  const srf = createSrf();
  for (const verb of verbs) {
    srf.use(verb, (request, response) => {
      const handler = on[request.method.toLowerCase()];
      if (handler) handler(request, response);
      else response.send(404);
    });
  }
  await connected(srf, server.drachtioPort, secret);
  const [udp, tcp] = server.listenPoints;
  let isConnected = true;
  const disconnect = () => {
    if (isConnected) srf.disconnect();
    isConnected = false;
  };
  return {
    server,
    srf,
    address: `127.0.0.1:${udp?.port}`,
    tcpAddress: `127.0.0.1:${tcp?.port}`,
    on,
    disconnect,
    async close() {
      disconnect();
      await server.close();
    },
  };
}

/** The next time that handler is called for; the request is left to the test. */
export function nextRequest(site: Site, verb: string): Promise<Parameters<Handler>> {
  return new Promise((resolve) => {
    site.on[verb] = (...request) => resolve(request);
  });
}

export function sdp(name: string, port = 40_000): string {
  return [
    'v=0',
    `o=${name} 1 1 IN IP4 127.0.0.1`,
    's=-',
    'c=IN IP4 127.0.0.1',
    't=0 0',
    `m=audio ${port} RTP/AVP 8`,
    'a=rtpmap:8 PCMA/8000',
    'a=sendrecv',
    '',
  ].join('\r\n');
}
