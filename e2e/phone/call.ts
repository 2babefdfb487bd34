import { randomBytes, randomInt } from 'node:crypto';
import { type Dialog, dialogOfRequest, dialogOfResponse, tagOf } from './dialog.ts';
import type { Credentials } from './digest.ts';
import type { Law } from './g711.ts';
import { type Headers, Invitation } from './invitation.ts';
import { header, parameterOf, type SipMessage, sequenceOf, uriOf } from './message.ts';
import { RtpStream } from './rtp-stream.ts';
import {
  type Description,
  type Direction,
  formatDescription,
  mirrored,
  parseDescription,
} from './sdp.ts';
import type { Answer, IncomingRequest, Signalling } from './signalling.ts';

export interface CallParts {
  readonly signalling: Signalling;
  readonly address: string;
  readonly laws: readonly Law[];
  readonly credentials: Credentials | undefined;
  /** The peer wants us to call somebody else (REFER); undefined when we do not let it. */
  readonly dialForRefer: (to: string, referredBy: string) => Promise<Call>;
  readonly onReleased: (call: Call) => void;
}

export interface CallEnd {
  readonly by: 'us' | 'them';
  /** Final status of a call that was never answered. */
  readonly status?: number;
}

/** A call that was not answered. */
export class CallRefused extends Error {
  readonly status: number;
  constructor(status: number) {
    super(`the call was refused: ${status}`);
    this.status = status;
  }
}

const eventType = 101;
/** A BYE may be read before the sound that was sent before it. */
const lastSoundTime = 200;

/** One call of the phone, in either direction, with its sound. */
export class Call {
  readonly callId: string;
  readonly media: RtpStream;
  /** `performance.now()` of what happened; absent what did not. */
  readonly times: { begun: number; ringing?: number; answered?: number; ended?: number };
  readonly #parts: CallParts;
  readonly #localTag = randomBytes(5).toString('hex');
  readonly #session = { id: randomInt(2 ** 31), version: 1 };
  readonly #answered = Promise.withResolvers<void>();
  readonly #ended = Promise.withResolvers<CallEnd>();
  readonly #transferred = Promise.withResolvers<Call>();
  #dialog: Dialog | undefined;
  #sequence = 1;
  #remoteSequence = 0;
  #direction: Direction = 'sendrecv';
  #isEnded = false;
  #isReleased = false;
  readonly #released = Promise.withResolvers<void>();
  /** Our INVITE, while it is not answered. */
  #invitation: Invitation | undefined;
  /** The peer's INVITE, while we have not answered. */
  #invited: IncomingRequest | undefined;
  /** Sends the ACK of the last 2xx again. */
  #acknowledge: (() => void) | undefined;
  #lastInvite: SipMessage | undefined;
  #awaitsAnswerInAck = false;

  static async create(parts: CallParts, invited?: IncomingRequest): Promise<Call> {
    return new Call(parts, await RtpStream.open(parts.address), invited);
  }

  private constructor(parts: CallParts, media: RtpStream, invited: IncomingRequest | undefined) {
    this.#parts = parts;
    this.media = media;
    this.times = { begun: performance.now() };
    this.#invited = invited;
    this.callId = invited
      ? header(invited.request, 'Call-ID')
      : `${randomBytes(10).toString('hex')}@${parts.address}`;
    for (const { promise } of [this.#answered, this.#transferred]) promise.catch(() => undefined);
    if (invited) this.#accepted(invited.request);
  }

  /** Resolves at the 2xx (or our ACK'd answer); rejects with CallRefused. */
  get answered(): Promise<void> {
    return this.#answered.promise;
  }

  get ended(): Promise<CallEnd> {
    return this.#ended.promise;
  }

  /** The call to somebody else that the peer asked for; rejects when this call ends without. */
  get transferred(): Promise<Call> {
    return this.#transferred.promise;
  }

  get isEnded(): boolean {
    return this.#isEnded;
  }

  /** The media are closed: a little after the end, for sound that was on its way. */
  get isReleased(): boolean {
    return this.#isReleased;
  }

  /** URI of the caller, of an incoming call. */
  get from(): string {
    return this.#lastInvite ? uriOf(header(this.#lastInvite, 'From')) : '';
  }

  /** URI in Referred-By of an incoming call; empty without one. */
  get referredBy(): string {
    return this.#lastInvite ? uriOf(header(this.#lastInvite, 'Referred-By')) : '';
  }

  // Calling.

  dial(uri: string, extra: Headers = []): void {
    const { signalling, credentials } = this.#parts;
    this.#invitation = new Invitation({
      signalling,
      uri,
      headers: (sequence, method) => this.#headersTo(uri, sequence, method),
      nextSequence: () => this.#sequence++,
      extra,
      body: this.#describe(this.#ownDescription()),
      credentials,
      onProvisional: (response, status) => this.#onProvisional(response, status),
      onAccepted: (response, isCancelled) => this.#onAccepted(response, isCancelled),
      onRefused: (status) => this.#end({ by: 'them', status }),
    });
  }

  #onProvisional(response: SipMessage, status: number): void {
    if (status >= 180) this.times.ringing ??= performance.now();
    if (response.body !== '') this.#setTarget(parseDescription(response.body));
  }

  #onAccepted(response: SipMessage, isCancelled: boolean): void {
    // A 2xx that comes again wants its ACK again (RFC 3261 §13.2.2.4).
    if (!this.#invitation) {
      this.#acknowledge?.();
      return;
    }
    this.#invitation = undefined;
    this.#dialog = dialogOfResponse(response);
    this.#acknowledgeWith(sequenceOf(response));
    if (isCancelled) {
      void this.hangUp();
      return;
    }
    this.#setTarget(parseDescription(response.body));
    this.#nowAnswered();
  }

  // Being called.

  ring(): void {
    this.#invited?.respond(180, { tag: this.#localTag });
    this.times.ringing ??= performance.now();
  }

  /** Answers with 200, or 488 when there is no codec in common; `answered` resolves at the ACK. */
  answer(): void {
    const invited = this.#invited;
    if (!invited) return;
    this.#invited = undefined;
    if (!this.#answerOffer(invited)) this.#end({ by: 'us', status: 488 });
  }

  reject(status: number): void {
    this.#invited?.respond(status, { tag: this.#localTag });
    this.#invited = undefined;
    this.#end({ by: 'us', status });
  }

  #accepted(request: SipMessage): void {
    this.#lastInvite = request;
    this.#dialog = dialogOfRequest(request, this.#localTag);
    this.#remoteSequence = sequenceOf(request);
  }

  /** Answers an INVITE or UPDATE, the first or a later one; without an offer we make one. False: refused. */
  #answerOffer(incoming: IncomingRequest): boolean {
    const { request } = incoming;
    const isOffer = request.body !== '';
    const own = this.#ownDescription();
    const offer = isOffer ? parseDescription(request.body) : undefined;
    const laws = offer ? own.laws.filter((law) => offer.laws.includes(law)).slice(0, 1) : own.laws;
    if (laws.length === 0) {
      incoming.respond(488, { tag: this.#localTag });
      return false;
    }
    if (offer) {
      this.#direction = mirrored(offer.direction);
      this.#setTarget({ ...offer, laws });
    }
    this.#awaitsAnswerInAck = !isOffer;
    const answer: Answer = {
      tag: this.#localTag,
      headers: [sdpType],
      body: this.#describe({
        ...own,
        laws,
        events: offer ? offer.events : own.events,
        direction: this.#direction,
      }),
      onTimeout: () => void this.hangUp(),
    };
    if (incoming.method === 'INVITE') this.#lastInvite = request;
    incoming.respond(200, answer);
    return true;
  }

  // In the call.

  /** Ends the call: BYE, CANCEL or a refusal. Resolves when it is over. */
  async hangUp(): Promise<void> {
    if (this.#isEnded) return this.#released.promise;
    if (this.#invited) this.reject(603);
    else if (this.#invitation) this.#invitation.cancel();
    else {
      const bye = this.request('BYE');
      this.#end({ by: 'us' });
      await bye;
    }
    await this.#ended.promise;
    await this.#released.promise;
  }

  /** Sends a request in the dialog; resolves to the final status. */
  request(
    method: string,
    extra: Headers = [],
    body = '',
  ): Promise<{ readonly status: number; readonly response: SipMessage | undefined }> {
    const dialog = this.#dialog;
    if (!dialog) return Promise.resolve({ status: 481, response: undefined });
    const sequence = this.#sequence++;
    return new Promise((resolve) => {
      this.#parts.signalling.request({
        method,
        uri: dialog.remoteTarget,
        headers: [...this.#headersIn(dialog, sequence, method), ...extra],
        body,
        onResponse: (response, status) => {
          if (status < 200) return;
          if (method === 'INVITE' && status < 300) this.#acknowledgeWith(sequence);
          resolve({ status, response });
        },
        onTimeout: () => resolve({ status: 408, response: undefined }),
      });
    });
  }

  /** Re-INVITE that holds the peer (`a=sendonly`); resolves to its final status. */
  hold(): Promise<number> {
    return this.#negotiate('sendonly');
  }

  resume(): Promise<number> {
    return this.#negotiate('sendrecv');
  }

  async #negotiate(direction: Direction): Promise<number> {
    this.#session.version++;
    const body = this.#describe({ ...this.#ownDescription(), direction });
    const { status, response } = await this.request('INVITE', [sdpType], body);
    if (status < 200 || status >= 300 || !response) return status;
    this.#direction = direction;
    this.#setTarget(parseDescription(response.body));
    // Who holds is silent here: there is no hold music to send.
    this.media.isSending = direction === 'sendrecv';
    return status;
  }

  /** A request that belongs to this call. */
  handle(incoming: IncomingRequest): void {
    const { request, method } = incoming;
    if (method === 'ACK') {
      this.#onAck(request);
      return;
    }
    if (method === 'CANCEL') {
      this.#onCancel(incoming);
      return;
    }
    if (sequenceOf(request) <= this.#remoteSequence) {
      incoming.respond(500);
      return;
    }
    this.#remoteSequence = sequenceOf(request);
    this.#dispatch(incoming);
  }

  #dispatch(incoming: IncomingRequest): void {
    switch (incoming.method) {
      case 'BYE':
        incoming.respond(200);
        this.#end({ by: 'them' });
        break;
      case 'INVITE':
        this.#answerOffer(incoming);
        this.#retarget(incoming.request);
        break;
      case 'UPDATE':
        if (incoming.request.body === '') incoming.respond(200);
        else this.#answerOffer(incoming);
        this.#retarget(incoming.request);
        break;
      case 'REFER':
        void this.#onRefer(incoming);
        break;
      case 'OPTIONS':
      case 'INFO':
      case 'NOTIFY':
        incoming.respond(200);
        break;
      default:
        incoming.respond(405);
    }
  }

  #onAck(request: SipMessage): void {
    if (this.#lastInvite) this.#parts.signalling.stopRepeating(this.#lastInvite);
    if (this.#awaitsAnswerInAck && request.body !== '') {
      this.#awaitsAnswerInAck = false;
      this.#setTarget(parseDescription(request.body));
    }
    this.#nowAnswered();
  }

  #onCancel(incoming: IncomingRequest): void {
    incoming.respond(200, { tag: this.#localTag });
    if (!this.#invited) return;
    this.#invited.respond(487, { tag: this.#localTag });
    this.#invited = undefined;
    this.#end({ by: 'them', status: 487 });
  }

  /** RFC 3515: 202, then the fate of the new call in NOTIFYs, `SIP/2.0 …` each. */
  async #onRefer(incoming: IncomingRequest): Promise<void> {
    const to = uriOf(header(incoming.request, 'Refer-To'));
    incoming.respond(202);
    await this.#notify('SIP/2.0 100 Trying', 'active;expires=60');
    try {
      const call = await this.#parts.dialForRefer(to, header(incoming.request, 'Referred-By'));
      call.answered.then(
        () => {
          this.#transferred.resolve(call);
          return this.#notify('SIP/2.0 200 OK', 'terminated;reason=noresource');
        },
        (error: unknown) => {
          const status = error instanceof CallRefused ? error.status : 503;
          return this.#notify(`SIP/2.0 ${status} Refused`, 'terminated;reason=noresource');
        },
      );
    } catch {
      await this.#notify('SIP/2.0 503 Service Unavailable', 'terminated;reason=noresource');
    }
  }

  async #notify(fragment: string, state: string): Promise<void> {
    if (this.#isEnded) return;
    await this.request(
      'NOTIFY',
      [
        ['Event', 'refer'],
        ['Subscription-State', state],
        ['Content-Type', 'message/sipfrag;version=2.0'],
      ],
      `${fragment}\r\n`,
    );
  }

  /** A peer may move (RFC 3261 §12.2.2). */
  #retarget(request: SipMessage): void {
    const contact = uriOf(header(request, 'Contact'));
    if (this.#dialog && contact) this.#dialog = { ...this.#dialog, remoteTarget: contact };
  }

  #acknowledgeWith(sequence: number): void {
    const dialog = this.#dialog;
    if (!dialog) return;
    this.#acknowledge = () => {
      this.#parts.signalling.request({
        method: 'ACK',
        uri: dialog.remoteTarget,
        headers: this.#headersIn(dialog, sequence, 'ACK'),
        onResponse: () => undefined,
        onTimeout: () => undefined,
      });
    };
    this.#acknowledge();
  }

  #nowAnswered(): void {
    this.times.answered ??= performance.now();
    this.#answered.resolve();
  }

  #end(end: CallEnd): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.times.ended = performance.now();
    this.media.isSending = false;
    setTimeout(() => {
      this.media.close();
      this.#isReleased = true;
      this.#released.resolve();
      this.#parts.onReleased(this);
    }, lastSoundTime);
    this.#answered.reject(new CallRefused(end.status ?? 487));
    this.#transferred.reject(new Error('the call ended and was not transferred'));
    this.#ended.resolve(end);
  }

  // Messages.

  #setTarget(peer: Description): void {
    const [law] = peer.laws;
    if (this.#isEnded || law === undefined) return;
    this.media.setTarget({ address: peer.address, port: peer.port, law, events: peer.events });
    this.media.isSending = this.#direction === 'sendrecv' || this.#direction === 'sendonly';
  }

  #ownDescription(): Description {
    const { address, laws } = this.#parts;
    const { port } = this.media;
    return { address, port, laws, events: eventType, direction: 'sendrecv' };
  }

  #describe(description: Description): string {
    return formatDescription(description, this.#session);
  }

  #headersTo(uri: string, sequence: number, method: string): Headers {
    return [
      ['From', `<${this.#parts.signalling.uri}>;tag=${this.#localTag}`],
      ['To', `<${uri}>`],
      ['Call-ID', this.callId],
      ['CSeq', `${sequence} ${method}`],
    ];
  }

  #headersIn(dialog: Dialog, sequence: number, method: string): Headers {
    return [
      ...dialog.routes.map((route) => ['Route', route] as const),
      ['From', dialog.local],
      ['To', dialog.remote],
      ['Call-ID', dialog.callId],
      ['CSeq', `${sequence} ${method}`],
    ];
  }

  /** Whether a request in a dialog is meant for this call. */
  owns(request: SipMessage): boolean {
    if (header(request, 'Call-ID') !== this.callId) return false;
    const tag = parameterOf(header(request, 'To'), 'tag');
    return tag === '' || tag === this.#localTag || tag === tagOf(this.#dialog?.local ?? '');
  }
}

const sdpType = ['Content-Type', 'application/sdp'] as const;
