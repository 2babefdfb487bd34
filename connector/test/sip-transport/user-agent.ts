import { onTestFinished } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { silentLog } from '../../src/base/log.ts';
import type { Resolve } from '../../src/sip/core/core.ts';
import { createUserAgent, type RunningUserAgent } from '../../src/sip/create-user-agent.ts';
import type { SipRequest } from '../../src/sip/message/message.ts';
import { defaultTimers } from '../../src/sip/transaction/timers.ts';
import { type SocketTransport, startTransport } from '../../src/sip/transport/start-transport.ts';
import type { TlsSettings } from '../../src/sip/transport/tls.ts';
import type { Protocol, Received, TransportUser } from '../../src/sip/transport/transport.ts';
import { defaultTransportLimits } from '../../src/sip/transport/transport-limits.ts';

/** A user agent on real sockets. */
export interface Desk {
  readonly transport: SocketTransport;
  readonly agent: RunningUserAgent;
  /** Status of each final response. */
  readonly finals: readonly number[];
  readonly requests: readonly SipRequest[];
}

export interface DeskOptions {
  readonly listen?: readonly Protocol[];
  readonly tls?: TlsSettings;
  readonly resolve: Resolve;
}

/** Started on ports of the system's choice; closed at the end of the test. Requests get 200. */
export async function startDesk({
  listen = ['udp', 'tcp'],
  tls,
  resolve,
}: DeskOptions): Promise<Desk> {
  const above: { user?: TransportUser } = {};
  const transport = await startTransport({
    listen: listen.map((protocol) => ({ protocol, address: '127.0.0.1', port: 0 })),
    ...(tls && { tls }),
    limits: defaultTransportLimits,
    clock: systemClock,
    log: silentLog,
    user: { onMessage: (received: Received) => above.user?.onMessage(received) },
  });
  const finals: number[] = [];
  const requests: SipRequest[] = [];
  const agent = createUserAgent({
    transport,
    resolve,
    clock: systemClock,
    random: Math.random,
    log: silentLog,
    user: {
      onRequest: ({ message, transaction }) => {
        requests.push(message);
        const answer = { status: 200, reason: 'OK', headers: [], body: Buffer.alloc(0) };
        void agent.respond(transaction, answer);
      },
      onResponse: ({ message }) => {
        if (message.status >= 200) finals.push(message.status);
      },
      onServerRequest: () => undefined,
      onDialogEnded: () => undefined,
      onRouted: () => undefined,
    },
    options: { timers: defaultTimers, maxServerTransactions: 100, maxDialogs: 100 },
  });
  above.user = agent;
  onTestFinished(async () => {
    await agent.close();
    await transport.close();
  });
  return { transport, agent, finals, requests };
}

/** Sends a MESSAGE with a body of that size. */
export async function sendMessage(desk: Desk, uri: string, sizeBytes = 10): Promise<void> {
  await desk.agent.request({
    method: 'MESSAGE',
    uri,
    headers: [{ name: 'Content-Type', value: 'text/plain' }],
    body: Buffer.alloc(sizeBytes, 0x61),
  });
}
