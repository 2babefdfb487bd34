import { ConnectorError } from '../base/errors.ts';
import type { Termination } from '../contract/termination.ts';
import type { Conversation } from '../conversation/conversation.ts';
import type { Turn } from '../conversation/turns.ts';
import type { Endpoint } from '../media/endpoint.ts';
import type { EndpointStats } from '../media/endpoint-stats.ts';
import type { AudioFormat } from '../media/format.ts';
import type { DigitsEnd } from '../media/keypad.ts';
import type { Line, LineListener } from '../media/line.ts';
import { EarlyCaller } from './early-caller.ts';

/** What a call needs of its endpoint. */
export type CallEndpoint = Pick<
  Endpoint,
  | keyof Line
  | 'answer'
  | 'codec'
  | 'offer'
  | 'accept'
  | 'setListener'
  | 'start'
  | 'isHeld'
  | 'lastAudioAt'
  | 'injectDigit'
  | 'sendDigits'
  | 'record'
  | 'stats'
  | 'close'
>;

/** What a call needs of its conversation. */
export type CallConversation = Pick<
  Conversation,
  'open' | 'attach' | 'hold' | 'pressing' | 'end' | 'transcript'
>;

export interface CallAudioDependencies {
  readonly endpoint: CallEndpoint;
  /** AudioFormat that is opened with as long as the peer has not said which one it takes. */
  readonly preferredFormat: AudioFormat;
  readonly createConversation: () => CallConversation;
}

/** A call's endpoint and its conversation, from the offer to the end. */
export class CallAudio {
  readonly #with: CallAudioDependencies;
  #conversation: CallConversation;
  #openedFormat: AudioFormat | undefined;
  #listener: LineListener | undefined;
  #early: EarlyCaller | undefined;
  #isNegotiated = false;
  #isEnded = false;

  constructor(dependencies: CallAudioDependencies) {
    this.#with = dependencies;
    this.#conversation = dependencies.createConversation();
  }

  /** Our answer to the peer's offer, the first or a later one. Throws; then nothing has changed. */
  answer(offer: string): string {
    const sdp = this.#with.endpoint.answer(offer);
    this.#onNegotiated();
    return sdp;
  }

  /** Our offer. */
  offer(): string {
    return this.#with.endpoint.offer();
  }

  /** The peer's answer to our offer. Throws when it cannot be used. */
  accept(answer: string): void {
    this.#with.endpoint.accept(answer);
    this.#onNegotiated();
  }

  /** Opens the conversation while the phone rings. Rejects when no provider opens. */
  open(): Promise<void> {
    const { endpoint, preferredFormat } = this.#with;
    this.#openedFormat = this.#isNegotiated ? endpoint.format : preferredFormat;
    return this.#conversation.open(this.#openedFormat);
  }

  /** The caller has our 200, or soon will: from now on nothing that he says is lost. */
  listen(): void {
    if (this.#listener || this.#isEnded) return;
    const { endpoint } = this.#with;
    this.#early = new EarlyCaller(endpoint.format);
    endpoint.setListener(this.#early);
  }

  /** The call is up: sound in both directions. */
  start(): void {
    if (this.#listener || this.#isEnded) return;
    const { endpoint, createConversation } = this.#with;
    if (endpoint.format === this.#openedFormat) {
      this.#listener = this.#conversation.attach(endpoint);
    } else {
      // The peer chose another format than the session was opened with on its account.
      this.#conversation.end({ result: 'completed', reason: 'agent-hung-up' });
      this.#conversation = createConversation();
      this.#listener = this.#conversation.attach(endpoint);
      // A failure is told to the caller and ends the call: `attach` came first.
      this.#conversation.open(endpoint.format).catch(() => undefined);
    }
    this.#early?.handOver(this.#listener);
    this.#early = undefined;
    endpoint.setListener(this.#listener);
    endpoint.start();
    this.#conversation.hold(endpoint.isHeld);
  }

  /** A key that came by SIP. */
  digit(digit: string, duration: number): void {
    this.#with.endpoint.injectDigit(digit, duration);
  }

  /** Keys for the peer by RTP, as `Endpoint.sendDigits`. */
  sendDigits(digits: string, onEnd: DigitsEnd): boolean {
    return this.#with.endpoint.sendDigits(digits, onEnd);
  }

  /** Keys are on their way to the peer, or no more. */
  pressing(isPressing: boolean): void {
    this.#conversation.pressing(isPressing);
  }

  /** When the caller last sent audio, on the clock's `now`; the present while none is to be expected. */
  get lastAudioAt(): number {
    return this.#with.endpoint.lastAudioAt;
  }

  /** Records both sides to a WAV file. */
  record(file: string): void {
    this.#with.endpoint.record(file);
  }

  get isHeld(): boolean {
    return this.#isNegotiated && this.#with.endpoint.isHeld;
  }

  /** Whether `conversation` is the one that counts. */
  isCurrent(conversation: CallConversation): boolean {
    return conversation === this.#conversation;
  }

  transcript(): readonly Turn[] {
    return this.#conversation.transcript();
  }

  get codec(): string {
    return this.#with.endpoint.codec?.toLowerCase() ?? '';
  }

  stats(): EndpointStats {
    return this.#with.endpoint.stats();
  }

  /** Idempotent. Resolves when ports and recording are released. */
  async end(termination: Termination): Promise<void> {
    this.#isEnded = true;
    this.#conversation.end(termination);
    await this.#with.endpoint.close();
  }

  #onNegotiated(): void {
    this.#isNegotiated = true;
    if (this.#listener) this.#conversation.hold(this.#with.endpoint.isHeld);
  }
}

/** The error of a call that ended while something was made for it. */
export function goneError(): ConnectorError {
  return new ConnectorError('CALL_GONE', 'the call ended meanwhile');
}
