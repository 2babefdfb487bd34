import { parseNameAddr } from '../message/name-addr.ts';
import { param } from '../message/params.ts';
import { formatUri } from '../message/uri.ts';

/** How a request is addressed. */
export interface Routing {
  readonly uri: string;
  /** Route header values. */
  readonly routes: readonly string[];
  /** URI of the next hop. */
  readonly nextHop: string;
}

/** Request-URI, Route and next hop for a target behind a route set (§12.2.1.1). */
export function routingOf(target: string, routeSet: readonly string[]): Routing {
  const [first, ...others] = routeSet;
  const uri = parseNameAddr(first ?? '')?.uri;
  if (uri?.kind !== 'sip') return { uri: target, routes: [], nextHop: target };
  const nextHop = formatUri(uri);
  if (param(uri.params, 'lr') !== undefined) return { uri: target, routes: routeSet, nextHop };
  // A strict router wants itself in the Request-URI and the target at the end of the routes.
  return { uri: formatUri({ ...uri, headers: [] }), routes: [...others, `<${target}>`], nextHop };
}
