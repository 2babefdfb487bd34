import { randomBytes } from 'node:crypto';
import { authorize, type Credentials } from './digest.ts';
import { header, type SipMessage } from './message.ts';
import type { Signalling } from './signalling.ts';

export type Headers = readonly (readonly [name: string, value: string])[];

export interface InvitationOptions {
  readonly signalling: Signalling;
  readonly uri: string;
  /** From, To, Call-ID and CSeq; the number of a CANCEL is that of its INVITE. */
  readonly headers: (sequence: number, method: string) => Headers;
  readonly nextSequence: () => number;
  readonly extra: Headers;
  readonly body: string;
  readonly credentials: Credentials | undefined;
  readonly onProvisional: (response: SipMessage, status: number) => void;
  /** Also for each 2xx that comes again. `isCancelled`: nobody wants it any more. */
  readonly onAccepted: (response: SipMessage, isCancelled: boolean) => void;
  readonly onRefused: (status: number) => void;
}

/** Our INVITE from the first try to its final answer: digest asked for, CANCEL if need be. */
export class Invitation {
  readonly #options: InvitationOptions;
  #branch = '';
  #sequence = 0;
  #isProvisional = false;
  #isCancelled = false;
  #hasAuthorized = false;

  constructor(options: InvitationOptions) {
    this.#options = options;
    this.#send([]);
  }

  /** A CANCEL goes out as soon as there is something to cancel (RFC 3261 §9.1). */
  cancel(): void {
    if (this.#isCancelled) return;
    this.#isCancelled = true;
    if (this.#isProvisional) this.#sendCancel();
  }

  #send(authorization: Headers): void {
    const { signalling, uri, headers, nextSequence, extra, body, onRefused } = this.#options;
    this.#sequence = nextSequence();
    this.#isProvisional = false;
    this.#branch = signalling.request({
      method: 'INVITE',
      uri,
      headers: [
        ...headers(this.#sequence, 'INVITE'),
        ['Content-Type', 'application/sdp'],
        ...extra,
        ...authorization,
      ],
      body,
      onResponse: (response, status) => this.#answered(response, status),
      onTimeout: () => onRefused(408),
    });
  }

  #answered(response: SipMessage, status: number): void {
    if (status < 200) {
      const isFirst = !this.#isProvisional;
      this.#isProvisional = true;
      if (isFirst && this.#isCancelled) this.#sendCancel();
      this.#options.onProvisional(response, status);
    } else if (status < 300) this.#options.onAccepted(response, this.#isCancelled);
    else if (!this.#authorized(response, status)) this.#options.onRefused(status);
  }

  /** Tries again with the password, once. */
  #authorized(response: SipMessage, status: number): boolean {
    const { credentials, uri } = this.#options;
    const isChallenge = status === 401 || status === 407;
    if (!isChallenge || !credentials || this.#hasAuthorized || this.#isCancelled) return false;
    this.#hasAuthorized = true;
    const [asking, answering] =
      status === 407
        ? ['Proxy-Authenticate', 'Proxy-Authorization']
        : ['WWW-Authenticate', 'Authorization'];
    const value = header(response, asking);
    const cnonce = randomBytes(8).toString('hex');
    this.#send([[answering, authorize(credentials, { value, method: 'INVITE', uri, cnonce })]]);
    return true;
  }

  #sendCancel(): void {
    const { signalling, uri, headers, onRefused } = this.#options;
    signalling.request({
      method: 'CANCEL',
      uri,
      headers: headers(this.#sequence, 'CANCEL'),
      branch: this.#branch,
      onResponse: () => undefined,
      onTimeout: () => onRefused(408),
    });
  }
}
