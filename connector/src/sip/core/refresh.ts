import { sequenceOf } from '../dialog/dialog.ts';
import { refreshHeaders } from '../dialog/session-negotiation.ts';
import type { SessionTerms } from '../dialog/session-timer.ts';
import type { SipRequest } from '../message/message.ts';
import type { Core } from './core.ts';
import {
  authorising,
  type Content,
  credentialsOf,
  orderInDialog,
  sendInDialog,
} from './in-dialog.ts';
import type { LiveDialog } from './live-dialog.ts';
import type { Answer, Sending } from './sending.ts';
import { type AckDeparture, sendStateless } from './stateless.ts';

/**
 * Sends a refresh of the session (RFC 4028 §7.4), of which the application knows nothing: an INVITE with
 * the description in force, or an UPDATE where there is none. `onFinal` runs once.
 */
export function sendRefresh(
  core: Core,
  { live, terms }: { live: LiveDialog; terms: SessionTerms },
  onFinal: (answer: Answer) => void,
): void {
  new Refresh(core, live, onFinal).start(contentOf(live, terms));
}

function contentOf(live: LiveDialog, terms: SessionTerms): Content {
  const { localSdp } = live.state;
  const headers = [...refreshHeaders(terms)];
  if (localSdp === undefined) return { method: 'UPDATE', headers, body: Buffer.alloc(0) };
  headers.push({ name: 'Content-Type', value: 'application/sdp' });
  return { method: 'INVITE', headers, body: Buffer.from(localSdp, 'latin1') };
}

class Refresh {
  readonly #core: Core;
  readonly #live: LiveDialog;
  readonly #onFinal: (answer: Answer) => void;
  readonly #over = Promise.withResolvers<void>();
  #isOver = false;
  #ack: Promise<AckDeparture> | undefined;
  #again: (answer: Answer) => Content | undefined = () => undefined;

  constructor(core: Core, live: LiveDialog, onFinal: (answer: Answer) => void) {
    this.#core = core;
    this.#live = live;
    this.#onFinal = onFinal;
  }

  start(content: Content): void {
    this.#live.refreshing = this.#over.promise;
    this.#again = authorising(this.#core, content);
    this.#send(content);
  }

  #send(content: Content): void {
    const { sending, departure } = sendInDialog(
      this.#core,
      { live: this.#live, content },
      { onAnswer: (answer) => this.#onAnswer(answer) },
    );
    this.#live.clientInvite = { withdraw: () => withdraw(sending) };
    departure.catch(() => {
      this.#core.log.info({}, 'refresh of a session could not be sent');
      this.#finish();
    });
  }

  #onAnswer(answer: Answer): void {
    const { response, request } = answer;
    if (response.status < 200) return;
    if (request.method === 'INVITE' && response.status < 300) this.#acknowledge(request);
    if (this.#isOver) return;
    // No INVITE follows a BYE.
    const isOver = this.#live.isEnded || this.#live.isLeaving;
    const authorised = isOver ? undefined : this.#again(answer);
    if (authorised) {
      this.#send(authorised);
      return;
    }
    this.#finish();
    this.#onFinal(answer);
  }

  #finish(): void {
    this.#isOver = true;
    this.#live.refreshing = undefined;
    this.#live.clientInvite = undefined;
    this.#over.resolve();
  }

  /** Repeated 2xx get the same ACK again. */
  #acknowledge(invite: SipRequest): void {
    if (this.#ack) {
      this.#ack
        .then(({ bytes, remote }) => this.#core.transport.send(bytes, remote))
        .catch(() => undefined);
      return;
    }
    const order = orderInDialog(this.#live, {
      method: 'ACK',
      sequence: sequenceOf(invite),
      headers: credentialsOf(invite),
      body: Buffer.alloc(0),
    });
    this.#ack = this.#live.inTurn(() => sendStateless(this.#core, order));
    this.#ack.catch(() => this.#core.log.info({}, 'ACK of a refresh could not be sent'));
  }
}

/** Only an INVITE can be. */
function withdraw(sending: Sending): void {
  sending.cancel([]);
}
