import { routingOf } from '../dialog/routing.ts';
import { header, headers, withHeader, withoutHeader, withTopValue } from '../message/headers.ts';
import type { SipRequest, SipResponse } from '../message/message.ts';
import { parseNameAddr, tagOf } from '../message/name-addr.ts';
import { param } from '../message/params.ts';
import { formatUri, parseSipUri } from '../message/uri.ts';
import type { ServerTransaction } from '../transaction/server-transaction.ts';
import type { ListenPoint, Received } from '../transport/transport.ts';
import type { Branch, BranchOptions, Forwarding, Trace } from '../user-agent.ts';
import { composeResponse, plainResponse } from './compose.ts';
import type { Core } from './core.ts';
import type { OwnAddresses } from './own-address.ts';
import { type Order, Sending } from './sending.ts';
import { sendStateless } from './stateless.ts';
import { traceOfReceived } from './trace.ts';

/** A request in the hands of a proxy. */
export class Proxied implements Forwarding {
  readonly message: SipRequest;
  readonly route?: string;
  readonly trace: Trace;
  readonly local: ListenPoint;
  readonly #core: Core;
  readonly #server: ServerTransaction | undefined;

  constructor(
    core: Core,
    of: { request: SipRequest; received: Received; server?: ServerTransaction | undefined },
  ) {
    const { message, route } = withoutOwnRoute(of.request, core.own);
    this.message = message;
    if (route !== undefined) this.route = route;
    this.trace = traceOfReceived(of.received, core.clock.wall());
    this.local = of.received.local;
    this.#core = core;
    this.#server = of.server;
    if (of.server) of.server.user = {};
  }

  /** 100, so that the sender of an INVITE stops repeating it. */
  trying(): void {
    if (!this.#server) return;
    const parts = { local: this.local, toTag: '' };
    this.reply(composeResponse(this.#server.request, plainResponse(100, 'Trying'), parts));
  }

  forward(copy: SipRequest, options: BranchOptions): Branch {
    const order = orderOf(copy, options.nextHop);
    if (copy.method === 'ACK') {
      sendStateless(this.#core, order).catch(() =>
        this.#core.log.info({}, 'ACK could not be forwarded'),
      );
      return { cancel: () => undefined };
    }
    const sending = new Sending(this.#core, order, {
      onAnswer: ({ response, trace }) =>
        options.onResponse(withTopValue(response, 'Via', undefined), trace),
    });
    sending.start().catch(() => {
      const response = composeResponse(copy, plainResponse(503, 'Service Unavailable'), {
        local: this.local,
        toTag: this.#core.ids.tag(),
      });
      options.onResponse(response, this.trace);
    });
    return { cancel: () => void sending.cancel([]) };
  }

  reply(response: SipResponse): void {
    this.#server?.respond(response).done.catch(() => undefined);
  }

  release(): void {
    this.#server?.abandon();
  }

  onCancel(task: () => void): void {
    if (this.#server) this.#server.user = { onCancel: task };
  }
}

/** True for a request that comes here because a proxy of ours put itself into its route (§16.4). */
export function isRouted(request: SipRequest, own: OwnAddresses): boolean {
  if (tagOf(header(request, 'to') ?? '') === undefined) return false;
  const [first] = headers(request, 'route');
  return first !== undefined && (own.isOwnRoute(first) || isStrictlyRouted(request, own));
}

/** §16.4: a strict router has put our Record-Route value into the Request-URI. */
function isStrictlyRouted({ uri }: SipRequest, own: OwnAddresses): boolean {
  const parsed = parseSipUri(uri);
  return (
    parsed !== undefined &&
    parsed.user === undefined &&
    param(parsed.params, 'lr') !== undefined &&
    own.isOwnUri(parsed)
  );
}

function withoutOwnRoute(
  request: SipRequest,
  own: OwnAddresses,
): { message: SipRequest; route?: string } {
  const routes = headers(request, 'route');
  const last = parseNameAddr(routes.at(-1) ?? '')?.uri;
  if (last && isStrictlyRouted(request, own)) {
    const uri = formatUri(last);
    const rest = routes.slice(0, -1);
    const message = { ...withRoutes(request, rest), uri };
    return { message, route: `<${request.uri}>` };
  }
  const [first] = routes;
  if (first === undefined || !own.isOwnRoute(first)) return { message: request };
  return { message: withTopValue(request, 'Route', undefined), route: first };
}

/** §16.6 step 6: a strict next hop wants itself in the Request-URI. */
function orderOf(copy: SipRequest, nextHop: string | undefined): Order {
  if (nextHop !== undefined) return { nextHop, compose: () => copy };
  const routing = routingOf(copy.uri, headers(copy, 'route'));
  const isLoose = routing.uri === copy.uri;
  const request = isLoose ? copy : { ...withRoutes(copy, routing.routes), uri: routing.uri };
  return { nextHop: routing.nextHop, compose: () => request };
}

function withRoutes(request: SipRequest, routes: readonly string[]): SipRequest {
  return routes.length === 0
    ? withoutHeader(request, 'Route')
    : withHeader(request, 'Route', routes);
}
