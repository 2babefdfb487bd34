import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { systemClock } from '../../src/base/clock.ts';
import { silentLog } from '../../src/base/log.ts';
import { createUserAgent, type RunningUserAgent } from '../../src/sip/create-user-agent.ts';
import { addressOf } from '../../src/sip/message/uri.ts';
import { startTransport } from '../../src/sip/transport/start-transport.ts';
import type { Protocol, Received } from '../../src/sip/transport/transport.ts';
import { defaultTransportLimits } from '../../src/sip/transport/transport-limits.ts';
import type { InboundRequest, InboundResponse } from '../../src/sip/user-agent.ts';

/** A user agent on real sockets of loopback. */
export interface Desk {
  readonly agent: RunningUserAgent;
  /** `127.0.0.1:50123`. */
  readonly address: string;
  close(): Promise<void>;
}

export async function openDesk(
  protocol: Protocol,
  on: {
    request?: (request: InboundRequest, agent: RunningUserAgent) => void;
    response?: (response: InboundResponse, agent: RunningUserAgent) => void;
  },
): Promise<Desk> {
  const above: { agent?: RunningUserAgent } = {};
  const transport = await startTransport({
    listen: [{ protocol, address: '127.0.0.1', port: 0 }],
    limits: defaultTransportLimits,
    clock: systemClock,
    log: silentLog,
    user: { onMessage: (received: Received) => above.agent?.onMessage(received) },
  });
  const agent = createUserAgent({
    transport,
    resolve: async (uri) => ({
      kind: 'targets',
      targets: [{ protocol, address: addressOf(uri.host), port: uri.port ?? 5060 }],
    }),
    clock: systemClock,
    random: Math.random,
    log: silentLog,
    options: {
      // Short enough to see everything end within the test.
      timers: { t1: 50, t2: 400, t4: 500 },
      maxServerTransactions: 1000,
      maxDialogs: 1000,
    },
    user: {
      onRequest: (request) => on.request?.(request, agent),
      onResponse: (response) => on.response?.(response, agent),
      onServerRequest: () => undefined,
      onDialogEnded: () => undefined,
      onRouted: () => undefined,
    },
  });
  above.agent = agent;
  return {
    agent,
    address: `127.0.0.1:${transport.listenPoints[0]?.port}`,
    async close() {
      await agent.close();
      await transport.close();
    },
  };
}

/** A port of loopback that was free just now. */
export async function freePort(): Promise<number> {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  await new Promise<void>((done) => {
    socket.close(() => done());
  });
  return port;
}
