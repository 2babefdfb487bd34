import { join } from 'node:path';
import type { Clock } from '../base/clock.ts';
import { messageOf } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import type { Leg, LegEnd, LegUser } from '../calls/leg.ts';
import type { Termination } from '../contract/termination.ts';
import type {
  CallControl,
  DigitsOutcome,
  DigitsRefusal,
  TransferOutcome,
  TransferTarget,
} from '../conversation/call-control.ts';
import type { ConversationEvent } from '../conversation/events.ts';
import type { CallQuality } from '../media/call-quality.ts';
import type { AudioFormat } from '../media/format.ts';
import { CallAudio, type CallConversation, type CallEndpoint, goneError } from './call-audio.ts';
import { DigitsOut } from './digits-out.ts';
import { type CallMetrics, Journal } from './journal.ts';
import { NoMediaWatch } from './no-media.ts';
import { type Failure, failureOf, reasonHeader, terminationOf } from './outcome.ts';
import { noTraffic, type Traffic, trafficOf } from './traffic.ts';

export interface CallDependencies {
  readonly id: string;
  readonly preferredFormat: AudioFormat;
  /** Folder for recordings; nothing is recorded without it. */
  readonly recordingFolder: string | undefined;
  /** Rejects with RTP_PORTS_EXHAUSTED. */
  readonly openEndpoint: (id: string, log: Log) => Promise<CallEndpoint>;
  readonly createConversation: (wiring: {
    readonly control: CallControl;
    readonly onEvent: (event: ConversationEvent) => void;
    readonly log: Log;
  }) => CallConversation;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: CallMetrics;
  /** Once, at the end of the call; releasing may go on until `released`. */
  readonly onEnded: (call: Call) => void;
}

/** Personal data of a call, and what SIP calls it. */
export interface CallOrigin {
  readonly direction: 'inbound' | 'outbound';
  readonly from: string;
  readonly to: string;
  readonly sipCallId: string;
}

export type CallState = 'ringing' | 'talking' | 'held' | 'transferring' | 'ended';

/** How to leave the SIP side before there is a leg: refuse the caller, or stop dialling. */
export type Exit = (failure: Pick<Failure, 'status' | 'headers'>) => void;

/** One call from INVITE to its end. Whatever ends it, everything of it is released once. */
export class Call {
  readonly id: string;
  readonly origin: CallOrigin;
  readonly journal: Journal;
  readonly #with: CallDependencies;
  readonly #log: Log;
  readonly #watch: NoMediaWatch;
  readonly #digits: DigitsOut;
  #audio: CallAudio | undefined;
  #leg: Leg | undefined;
  #exit: Exit = () => undefined;
  #isUp = false;
  #isTransferring = false;
  #termination: Termination | undefined;
  #released: Promise<unknown> = Promise.resolve();

  constructor(dependencies: CallDependencies, origin: CallOrigin) {
    const { id, clock, metrics } = dependencies;
    this.id = id;
    this.origin = origin;
    this.#with = dependencies;
    this.#log = dependencies.log.child({ call: id });
    this.journal = new Journal({ clock, log: this.#log, metrics });
    this.#watch = new NoMediaWatch({
      clock,
      lastAudioAt: () => this.#audio?.lastAudioAt ?? clock.now(),
      onSilence: () => this.end({ result: 'failed', reason: 'no-media' }),
    });
    this.#digits = new DigitsOut({
      clock,
      obstacle: () => this.#digitsObstacle,
      byRtp: (digits, onEnd) => this.#audio?.sendDigits(digits, onEnd) ?? false,
      byInfo: async (key) => this.#leg?.pressKey(key) ?? false,
      onBusy: (isBusy) => this.#audio?.pressing(isBusy),
    });
    const { direction, sipCallId, from, to } = origin;
    this.#log.info({ direction, sipCallId, pii: { from, to } }, 'call');
  }

  get state(): CallState {
    if (this.#termination) return 'ended';
    if (!this.#isUp) return 'ringing';
    if (this.#isTransferring) return 'transferring';
    return this.#audio?.isHeld ? 'held' : 'talking';
  }

  get isEnded(): boolean {
    return this.#termination !== undefined;
  }

  get termination(): Termination | undefined {
    return this.#termination;
  }

  /** Resolves when ports, dialog and recording of an ended call are released. */
  get released(): Promise<unknown> {
    return this.#released;
  }

  get traffic(): Traffic {
    return this.#audio ? trafficOf(this.#audio.stats()) : noTraffic;
  }

  /** How the call sounds so far; undefined as long as it is not up. */
  get quality(): CallQuality | undefined {
    return this.#isUp ? this.#audio?.stats().quality : undefined;
  }

  /** Presses keys (0-9 * # A-D) towards the peer: by RFC 4733, or by INFO where it takes no events. */
  sendDigits(digits: string): DigitsRefusal | Promise<DigitsOutcome> {
    this.#log.info({ count: digits.length, pii: { digits } }, 'keys to be pressed');
    return this.#digits.send(digits);
  }

  get #digitsObstacle(): 'held' | 'not-answered' | undefined {
    if (this.#termination || !this.#isUp) return 'not-answered';
    return this.#audio?.isHeld ? 'held' : undefined;
  }

  transcript() {
    return this.#audio?.transcript() ?? [];
  }

  /** How to leave while there is no leg. */
  leaveBy(exit: Exit): void {
    this.#exit = exit;
  }

  /** Ports and a conversation for the call. Rejects with CALL_GONE when it ended meanwhile. */
  async openAudio(): Promise<CallAudio> {
    const endpoint = await this.#with.openEndpoint(this.id, this.#log);
    if (this.#termination) {
      await endpoint.close();
      throw goneError();
    }
    const audio: CallAudio = new CallAudio({
      endpoint,
      preferredFormat: this.#with.preferredFormat,
      createConversation: () => this.#createConversation(),
    });
    this.#audio = audio;
    return audio;
  }

  #createConversation(): CallConversation {
    const isCurrent = () => this.#audio?.isCurrent(conversation) ?? true;
    const control: CallControl = {
      hangUp: (termination) => {
        if (isCurrent()) this.end(termination);
      },
      transfer: (target) => this.#transfer(target),
      sendDigits: async (digits) => this.sendDigits(digits),
    };
    const conversation: CallConversation = this.#with.createConversation({
      control,
      onEvent: (event) => {
        if (isCurrent()) this.journal.onConversation(event);
      },
      log: this.#log,
    });
    return conversation;
  }

  /** What the leg of this call tells and asks. */
  readonly legUser: LegUser = {
    onOffer: (sdp) => this.#requireAudio().answer(sdp),
    onOfferWanted: () => this.#requireAudio().offer(),
    onAnswer: (sdp) => this.#requireAudio().accept(sdp),
    onConfirmed: () => this.#start(),
    onDigit: (digit, duration) => this.#audio?.digit(digit, duration),
    onReplaced: (leg) => this.#onReplaced(leg),
    onEnded: (end: LegEnd) => this.end(terminationOf[end]),
  };

  /** The 200 is out, in either direction. */
  answered(leg: Leg): void {
    this.#leg = leg;
    this.journal.setUp();
    this.journal.answered();
    this.#audio?.listen();
    // Ended while the 200 was on its way: nobody else knows of this leg.
    if (this.#termination) this.#released = Promise.all([this.#released, leg.hangUp()]);
  }

  /** Somebody else goes on with the conversation in the peer's place; the old leg is being left. */
  #onReplaced(leg: Leg): void {
    this.#leg = leg;
    this.#log.info({ pii: { dialog: leg.id } }, 'leg replaced');
  }

  /** Ends the call for an error of its set-up. */
  fail(error: unknown): void {
    const failure = failureOf(error);
    this.#log.info({ error: messageOf(error), status: failure.status }, 'call set-up failed');
    this.end(failure.termination, failure);
  }

  /** Ends the call, whatever state it is in; the first termination counts. */
  end(
    termination: Termination,
    failure: Pick<Failure, 'status' | 'headers'> = { status: 480 },
  ): void {
    if (this.#termination) return;
    const audio = this.#audio;
    const stats = audio?.stats();
    this.#termination = termination;
    this.#watch.stop();
    this.#digits.close();
    this.#exit(failure);
    this.#released = Promise.all([
      this.#leg?.hangUp(reasonHeader(termination)),
      audio?.end(termination).catch((error: unknown) => {
        this.#log.error({ error: messageOf(error) }, 'media were not released');
      }),
    ]);
    const turns = this.transcript().length;
    this.journal.ended({ termination, codec: audio?.codec ?? '', turns, stats });
    this.#with.onEnded(this);
  }

  #start(): void {
    if (this.#termination || this.#isUp) return;
    this.#isUp = true;
    const audio = this.#requireAudio();
    const { recordingFolder } = this.#with;
    if (recordingFolder !== undefined) audio.record(join(recordingFolder, `${this.id}.wav`));
    audio.start();
    this.#watch.start();
  }

  async #transfer({ to, referredBy }: TransferTarget): Promise<TransferOutcome> {
    const leg = this.#leg;
    if (!leg || this.#termination) return { outcome: 'failed', status: 481, reason: 'Call ended' };
    this.#isTransferring = true;
    try {
      const outcome = await leg.refer({ to, referredBy: referredBy ?? this.#ownUri });
      const status = outcome.outcome === 'failed' ? outcome.status : 200;
      this.#log.info({ outcome: outcome.outcome, status }, 'transfer');
      return outcome;
    } finally {
      this.#isTransferring = false;
    }
  }

  get #ownUri(): string {
    return this.origin.direction === 'inbound' ? this.origin.to : this.origin.from;
  }

  #requireAudio(): CallAudio {
    if (!this.#audio || this.#termination) throw goneError();
    return this.#audio;
  }
}
