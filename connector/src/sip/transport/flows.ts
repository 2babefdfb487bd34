import { headers } from '../message/headers.ts';
import type { SipMessage } from '../message/message.ts';
import { parseNameAddr } from '../message/name-addr.ts';
import { addressOf, type SipUri } from '../message/uri.ts';
import { branchOf, parseVia } from '../message/via.ts';
import type { Remote } from './transport.ts';

/** Registrations that wait for their answer, per connection. */
const mostWaiting = 16;

/**
 * Which connection leads to the Contact of a WebSocket client, whose host is a made-up name
 * (RFC 7118 §5). Only a 200 to a REGISTER on that connection makes it so: whoever answers has decided
 * that the client may have the address. A later registration of the same Contact takes its place.
 */
export class Flows {
  readonly #byContact = new Map<string, Remote>();

  find(contact: SipUri): Remote | undefined {
    return this.#byContact.get(keyOf(contact));
  }

  /** What one connection does to them. */
  open(remote: Remote): Flow {
    const keys = new Set<string>();
    return new Flow({
      bind: (contact) => {
        keys.add(keyOf(contact));
        this.#byContact.set(keyOf(contact), remote);
      },
      forget: () => {
        for (const key of keys) {
          if (this.#byContact.get(key) === remote) this.#byContact.delete(key);
        }
      },
    });
  }
}

interface Binding {
  bind(contact: SipUri): void;
  forget(): void;
}

/** The REGISTERs of one connection. */
export class Flow {
  readonly #binding: Binding;
  /** Contacts of those without an answer, by branch. */
  readonly #waiting = new Map<string, SipUri>();

  constructor(binding: Binding) {
    this.#binding = binding;
  }

  received(message: SipMessage): void {
    if (message.kind !== 'request' || message.method !== 'REGISTER') return;
    const via = parseVia(headers(message, 'via')[0] ?? '');
    const uri = parseNameAddr(headers(message, 'contact')[0] ?? '')?.uri;
    const branch = via && branchOf(via);
    if (uri?.kind !== 'sip' || branch === undefined || this.#waiting.size >= mostWaiting) return;
    this.#waiting.set(branch, uri);
  }

  /** Looks at what is written to the connection. */
  sent(bytes: Buffer): void {
    if (this.#waiting.size === 0) return;
    const text = bytes.toString('latin1');
    const status = Number(/^SIP\/2\.0 (\d{3})/.exec(text)?.[1] ?? 0);
    const branch = /^via:[^\r\n]*?;branch=([^;,\s]+)/im.exec(text)?.[1] ?? '';
    const contact = this.#waiting.get(branch);
    if (!contact || status < 200) return;
    this.#waiting.delete(branch);
    if (status < 300) this.#binding.bind(contact);
  }

  close(): void {
    this.#binding.forget();
    this.#waiting.clear();
  }
}

function keyOf({ user = '', host, port }: SipUri): string {
  return `${user}@${addressOf(host).toLowerCase()}:${port ?? ''}`;
}
