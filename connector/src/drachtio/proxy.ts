import type { Clock } from '../base/clock.ts';
import { messageOf } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import { headers } from '../sip/message/headers.ts';
import type { SipRequest } from '../sip/message/message.ts';
import { type Forwarding, Refusal, type UserAgent } from '../sip/user-agent.ts';
import type { Application } from './application.ts';
import {
  hasRouteMark,
  hopsAfter,
  routeMark,
  withAddedHeaders,
  withHop,
  withRecordRoute,
  withTarget,
} from './forwarded-request.ts';
import type { ProxyOrder } from './proxy-command.ts';
import { proxyResponse } from './proxy-response.ts';
import { Relay, type RelayOptions } from './relay.ts';
import { callIdOf } from './switchboard.ts';

export interface ProxySettings {
  /** Marks Record-Routes, so that nobody can send through this server what it did not let in. */
  readonly secret: string;
  readonly clock: Clock;
  readonly log: Log;
}

/** The order, and the id that its replies name. */
export interface ProxyCommand {
  readonly id: string;
  readonly order: ProxyOrder;
}

/** Forwards requests for applications (`drachtio-protocol.md` 9), and later ones of the same dialogs on its own. */
export class Proxy {
  readonly #options: ProxySettings;
  readonly #relays = new Set<Relay>();

  constructor(options: ProxySettings) {
    this.#options = options;
  }

  /** Takes a request out of the application's hands. Answers the command; false when it could not be taken. */
  run(userAgent: UserAgent, application: Application, command: ProxyCommand): boolean {
    const { id, order } = command;
    const forwarding = this.#take(userAgent, order.transaction);
    if (!forwarding) {
      application.reply(id, {
        kind: 'nok',
        reason: `Unknown transaction id: ${order.transaction}`,
      });
      return false;
    }
    const refusal = refuse(forwarding);
    if (refusal !== undefined) {
      application.reply(id, { kind: 'nok', reason: refusal });
      return true;
    }
    this.#start({
      forwarding,
      targets: order.targets,
      search: { ...order.options, isInvite: forwarding.message.method === 'INVITE' },
      copyFor: (target) => ({
        request: this.#copyFor(forwarding, { target, order, userAgent }),
        nextHop: target,
      }),
      onFinal(response, trace) {
        if (order.options.fullResponse) {
          application.reply(id, { kind: 'branch-answered', response, trace });
        }
      },
      onDone() {
        if (order.options.fullResponse) application.reply(id, { kind: 'ok', data: 'done' });
      },
    });
    if (!order.options.fullResponse) application.reply(id, { kind: 'ok', data: 'done' });
    return true;
  }

  /** A request of a dialog that an earlier Record-Route brings here. */
  relay(forwarding: Forwarding): void {
    const { message, route = '' } = forwarding;
    const isAck = message.method === 'ACK';
    if (!hasRouteMark(route, routeMark(this.#options.secret, callIdOf(message)))) {
      if (!isAck) forwarding.reply(proxyResponse(message, 481));
      return;
    }
    if (isAck) {
      if (hopsAfter(message) < 0) return;
      forwarding.forward(withHop(message), { onResponse: () => undefined });
      return;
    }
    if (refuse(forwarding) !== undefined) return;
    this.#start({
      forwarding,
      targets: [message.uri],
      search: {
        isInvite: message.method === 'INVITE',
        isSimultaneous: false,
        followRedirects: false,
      },
      copyFor: () => ({ request: withHop(message) }),
      onFinal: () => undefined,
      onDone: () => undefined,
    });
  }

  close(): void {
    for (const relay of this.#relays) relay.close();
    this.#relays.clear();
  }

  #take(userAgent: UserAgent, transaction: string): Forwarding | undefined {
    try {
      return userAgent.proxy(transaction);
    } catch (error) {
      if (!(error instanceof Refusal)) {
        this.#options.log.error({ error: messageOf(error) }, 'request could not be proxied');
      }
      return undefined;
    }
  }

  #start(options: Omit<RelayOptions, 'clock'>): void {
    const relay = new Relay({
      ...options,
      clock: this.#options.clock,
      onDone: () => {
        this.#relays.delete(relay);
        options.onDone();
      },
    });
    this.#relays.add(relay);
    relay.start();
  }

  #copyFor(
    { message, local }: Forwarding,
    { target, order, userAgent }: { target: string; order: ProxyOrder; userAgent: UserAgent },
  ): SipRequest {
    const own = [...userAgent.listenPoints, local];
    const copy = withAddedHeaders(withTarget(withHop(message), target, own), order.headers);
    if (!order.options.remainInDialog) return copy;
    return withRecordRoute(copy, local, routeMark(this.#options.secret, callIdOf(message)));
  }
}

/** Answers what may not be forwarded (RFC 3261 §16.3) and says why. */
function refuse(forwarding: Forwarding): string | undefined {
  const { message } = forwarding;
  if (hopsAfter(message) < 0) {
    forwarding.reply(proxyResponse(message, 483));
    return 'Rejected with 483 Too Many Hops due to Max-Forwards value of 0';
  }
  const required = headers(message, 'proxy-require');
  if (required.length === 0) return undefined;
  const unsupported = required.map((value) => ({ name: 'Unsupported', value }));
  forwarding.reply(proxyResponse(message, 420, unsupported));
  return 'Rejected with 420 Bad Extension due to Proxy-Require';
}
