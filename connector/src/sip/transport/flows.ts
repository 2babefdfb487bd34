import { header, headers } from '../message/headers.ts';
import type { SipRequest } from '../message/message.ts';
import { parseNameAddr } from '../message/name-addr.ts';
import { param } from '../message/params.ts';
import { addressOf, type SipUri } from '../message/uri.ts';
import type { Remote } from './transport.ts';

/** Contacts of one connection; what else it registers cannot be called. */
const mostContacts = 16;

/**
 * Which connection leads to the Contact of a WebSocket client, whose host is a made-up name
 * (RFC 7118 §5). Only a 2xx to a REGISTER makes it so, and of the Contact in the request that was
 * answered: whoever answers has decided that the client may have the address. A later registration of
 * the same Contact takes its place.
 */
export class Flows {
  readonly #byContact = new Map<string, Remote>();
  readonly #byConnection = new Map<string, Set<string>>();

  find(contact: SipUri): Remote | undefined {
    if (!isOfWebSocket(contact)) return undefined;
    return this.#byContact.get(keyOf(contact));
  }

  /** A REGISTER that came on a connection has got its 2xx. */
  registered(request: SipRequest, remote: Remote): void {
    const { connection } = remote;
    if (connection === undefined) return;
    const { keys, isAll, gone } = contactsOf(request);
    if (isAll) this.forget(connection);
    for (const key of gone) this.#unbind(key, connection);
    const own = this.#byConnection.get(connection) ?? new Set();
    this.#byConnection.set(connection, own);
    for (const key of keys) {
      if (!own.has(key) && own.size >= mostContacts) return;
      own.add(key);
      this.#byContact.set(key, remote);
    }
  }

  /** The connection is closed. */
  forget(connection: string): void {
    for (const key of this.#byConnection.get(connection) ?? []) this.#unbind(key, connection);
    this.#byConnection.delete(connection);
  }

  #unbind(key: string, connection: string): void {
    this.#byConnection.get(connection)?.delete(key);
    if (this.#byContact.get(key)?.connection === connection) this.#byContact.delete(key);
  }
}

/** RFC 3261 §10.2: an expiry of 0 takes a Contact back, `*` all of them. */
function contactsOf(request: SipRequest): {
  readonly keys: readonly string[];
  readonly gone: readonly string[];
  readonly isAll: boolean;
} {
  const values = headers(request, 'contact');
  const expires = header(request, 'expires')?.trim();
  const found = values.flatMap((value) => {
    const parsed = parseNameAddr(value);
    if (parsed?.uri.kind !== 'sip' || !isOfWebSocket(parsed.uri)) return [];
    return [{ key: keyOf(parsed.uri), expires: param(parsed.params, 'expires') ?? expires }];
  });
  return {
    keys: found.filter((each) => each.expires !== '0').map(({ key }) => key),
    gone: found.filter((each) => each.expires === '0').map(({ key }) => key),
    isAll: values.some((value) => value.trim() === '*') && expires === '0',
  };
}

/**
 * RFC 7118 §5.1: `transport=ws`, or a host that is made up. Any other address leads where it says, so
 * that nobody takes over the calls to a trunk by registering its URI.
 */
function isOfWebSocket({ host, params }: SipUri): boolean {
  const transport = param(params, 'transport')?.toLowerCase() ?? '';
  return transport === 'ws' || transport === 'wss' || /\.invalid\.?$/i.test(addressOf(host));
}

function keyOf({ user = '', host, port }: SipUri): string {
  return `${user}@${addressOf(host).toLowerCase()}:${port ?? ''}`;
}
