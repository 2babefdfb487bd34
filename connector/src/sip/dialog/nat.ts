import { isIP } from 'node:net';
import { parseNameAddr } from '../message/name-addr.ts';
import { addressOf, parseSipUri, type SipUri } from '../message/uri.ts';
import { effectivePort, isSameHost } from '../message/uri-comparison.ts';
import { canConnect } from '../transport/protocol.ts';
import type { Received, Remote } from '../transport/transport.ts';

/** What a message says about where its sender can be reached. */
export interface Reach {
  readonly routeSet: readonly string[];
  /** Contact URI. */
  readonly contact: string | undefined;
}

/**
 * Where requests to a caller have to go when its Contact is not where it sent from: to the source
 * (`drachtio-protocol.md` 13.3 a). Over a stream only the host tells, for the port is ephemeral. A WebSocket's client is always
 * reached by its connection (RFC 7118 §5).
 */
export function sourceOfUas({ routeSet, contact }: Reach, received: Received): Remote | undefined {
  if (routeSet.length === 0 && !canConnect(received.remote.protocol)) return received.remote;
  const uri = parseSipUri(contact ?? '');
  if (routeSet.length > 0 || !uri || isFindable(uri.host)) return undefined;
  return isSource(uri, received.remote) ? undefined : received.remote;
}

/**
 * The same for one who was called: a private address in the first route, or without any route a Contact
 * host that is not the source of the response (13.3 b).
 */
export function sourceOfUac({ routeSet, contact }: Reach, received: Received): Remote | undefined {
  const [first] = routeSet;
  if (first !== undefined) {
    const route = parseNameAddr(first)?.uri;
    const isBehindNat =
      route?.kind === 'sip' && isPrivate(route.host) && !isPrivate(received.remote.address);
    return isBehindNat ? received.remote : undefined;
  }
  if (!canConnect(received.remote.protocol)) return received.remote;
  const uri = parseSipUri(contact ?? '');
  if (!uri || isFindable(uri.host)) return undefined;
  return isSameHost(uri.host, received.remote.address) ? undefined : received.remote;
}

/** A name that DNS may know says nothing about NAT; an address does, and so does `.invalid`. */
function isFindable(host: string): boolean {
  return isIP(addressOf(host)) === 0 && !host.toLowerCase().endsWith('.invalid');
}

function isSource(uri: SipUri, remote: Remote): boolean {
  if (!isSameHost(uri.host, remote.address)) return false;
  return remote.protocol !== 'udp' || effectivePort(uri) === remote.port;
}

/** RFC 1918. */
function isPrivate(host: string): boolean {
  return /^(?:10\.|192\.168\.|172\.(?:1[6-9]|2\d|3[01])\.)/.test(addressOf(host));
}
