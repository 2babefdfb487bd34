import { parseNameAddr } from '../message/name-addr.ts';
import { addressOf, hostOf, parseSipUri, type SipUri } from '../message/uri.ts';
import { effectivePort } from '../message/uri-comparison.ts';
import { transportParam } from '../transport/protocol.ts';
import type { ListenPoint } from '../transport/transport.ts';

/** `host:port` as peers are told it. */
function sentBy(local: ListenPoint): string {
  return `${hostOf(local.externalHost ?? local.address)}:${local.port}`;
}

/** Our Via value (§18.1.1), rport asked for (RFC 3581). */
export function viaOf(local: ListenPoint, branch: string): string {
  return `SIP/2.0/${local.protocol.toUpperCase()} ${sentBy(local)};branch=${branch};rport`;
}

/** Our Contact value: the transport is named unless it is UDP. Peers that use `sips` get that (§8.1.1.8). */
export function contactOf(local: ListenPoint, peer = ''): string {
  if (/^sips:/i.test(peer)) return `<sips:${sentBy(local)}>`;
  return `<sip:${sentBy(local)}${transportParam(local.protocol)}>`;
}

const localhost = /(sips?:(?:[^@<>"\s]+@)?)localhost(?::\d+)?(?=[;>?,\s]|$)/i;

/** Applications write `localhost` where they mean the server (`drachtio-protocol.md` 4.7). */
export function withOwnHost(value: string, local: ListenPoint): string {
  return localhost.test(value) ? value.replace(localhost, `$1${sentBy(local)}`) : value;
}

/** The same for a Contact, which also has to say the transport. */
export function withOwnContact(value: string, local: ListenPoint): string {
  if (!localhost.test(value)) return value;
  const param = /;transport=/i.test(value) ? '' : transportParam(local.protocol);
  return value.replace(localhost, `$1${sentBy(local)}${param}`);
}

/** Which addresses are this server's. */
export class OwnAddresses {
  readonly #names: ReadonlySet<string>;

  constructor(listenPoints: readonly ListenPoint[]) {
    this.#names = new Set(
      listenPoints.flatMap(({ address, externalHost, port }) =>
        [address, externalHost ?? address].map((host) => nameOf(host, port)),
      ),
    );
  }

  isOwnUri(uri: SipUri): boolean {
    return this.#names.has(nameOf(uri.host, effectivePort(uri)));
  }

  /** A URI text, or undefined when it is none of SIP. */
  isOwn(text: string): boolean {
    const uri = parseSipUri(text);
    return uri !== undefined && this.isOwnUri(uri);
  }

  /** A Route or Record-Route value. */
  isOwnRoute(value: string): boolean {
    const uri = parseNameAddr(value)?.uri;
    return uri?.kind === 'sip' && this.isOwnUri(uri);
  }
}

function nameOf(host: string, port: number): string {
  return `${addressOf(host).toLowerCase()}:${port}`;
}
