import type { Clock } from '../base/clock.ts';
import { messageOf } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import { StereoRecorder } from './audio/recorder.ts';
import { WavFile } from './audio/wav.ts';
import type { Law } from './law.ts';
import type { Line, LineListener } from './line.ts';
import { Playout } from './playout.ts';
import { DigitSender } from './rtp/digit-sender.ts';
import { isRtcp } from './rtp/packet.ts';
import { type Quality, qualityOf } from './rtp/quality.ts';
import { RtpReceiver } from './rtp/receiver.ts';
import { reorderWait } from './rtp/reorder.ts';
import { type RemoteReport, Reporter } from './rtp/reporter.ts';
import { RtpSender } from './rtp/sender.ts';
import type { SocketPair } from './rtp/socket.ts';
import type { Address } from './sdp/description.ts';
import { OfferAnswer } from './sdp/exchange.ts';
import { type Codec, lawOf, type Terms } from './sdp/negotiate.ts';
import type { Ticking, Wheel } from './wheel.ts';

export interface EndpointStats {
  readonly packetsIn: number;
  /** Payload bytes. */
  readonly bytesIn: number;
  readonly packetsOut: number;
  /** Payload bytes. */
  readonly bytesOut: number;
  readonly lost: number;
  readonly jitterMs: number;
  /** Packets from addresses that are not the peer's. */
  readonly strangers: number;
  /** Packets that were no RTP or RTCP, or of a payload type that was not agreed. */
  readonly malformed: number;
  /** Frames left out of the playout to win back delay. */
  readonly droppedFrames: number;
  /** What the peer's RTCP says of our stream; undefined before its first report. */
  readonly remote: RemoteReport | undefined;
  /** Packets that came too late to be heard in their place. */
  readonly late: number;
  /** ms of audio made up for what was lost. */
  readonly concealed: number;
  readonly quality: {
    /** What we hear of the peer. */
    readonly received: Quality;
    /** What the peer hears of us, as it reports. */
    readonly sent: Quality | undefined;
  };
}

export interface EndpointParts {
  readonly id: string;
  readonly codecs: readonly [Codec, ...Codec[]];
  readonly sockets: SocketPair;
  /** Where peers send to: the address in our SDP and the RTP port. */
  readonly advertised: Address;
  readonly family: 4 | 6;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  readonly wheel: Wheel;
  /** The sockets are closed; `isAnnounced`: a peer was told of them, and may still send. */
  readonly onClosed: (end: { readonly isAnnounced: boolean }) => void;
}

/** The audio of one call: its SDP, RTP and RTCP, playout and recording. */
export class Endpoint implements Line, Ticking {
  readonly id: string;
  readonly #parts: EndpointParts;
  readonly #exchange: OfferAnswer;
  readonly #playout: Playout;
  readonly #sender: RtpSender;
  readonly #receiver: RtpReceiver;
  readonly #reporter: Reporter;
  readonly #digits = new DigitSender();
  #listener: LineListener | undefined;
  #law: Law;
  #terms: Terms | undefined;
  /** Where the peer's RTCP comes from, which NAT may make another port than announced. */
  #rtcpSource: Address | undefined;
  #isAnnounced = false;
  #isStarted = false;
  #leaveWheel: (() => void) | undefined;
  /** Since when audio of the peer is expected. */
  #expectedSince: number;
  #malformedReports = 0;
  #recorder: StereoRecorder | undefined;
  #closing: Promise<void> | undefined;

  constructor(parts: EndpointParts) {
    const { sockets, random, advertised } = parts;
    this.id = parts.id;
    this.#parts = parts;
    this.#law = lawOf[parts.codecs[0]];
    this.#expectedSince = parts.clock.now();
    const sessionId = Math.floor(random() * 0x7fff_ffff) + 1;
    this.#exchange = new OfferAnswer({ ...advertised, sessionId }, parts);
    this.#playout = new Playout(this.#law, 20);
    this.#sender = new RtpSender({ socket: sockets.rtp, playout: this.#playout, random });
    this.#receiver = new RtpReceiver({
      onAudio: (audio, timestamp) => this.#onAudio(audio, timestamp),
      onDigit: (digit, duration) => this.#listener?.onDigit(digit, duration),
    });
    this.#reporter = new Reporter({
      sender: this.#sender,
      receiver: this.#receiver,
      // RFC 7022: a name for the call, not for its host.
      cname: sessionId.toString(36),
      random,
      target: () => this.#rtcpTarget(),
      send: (packet, target) => this.#sendReport(packet, target),
    });
    sockets.rtp.onPacket = this.#onRtp;
    sockets.rtcp.onPacket = this.#onRtcp;
  }

  /** What the conversation hears and speaks: the law agreed first, for the whole call. */
  get law(): Law {
    return this.#law;
  }

  get queuedBytes(): number {
    return this.#playout.queuedBytes;
  }

  get playedBytes(): number {
    return this.#playout.playedBytes;
  }

  /** The peer holds the call: nothing is sent, what is queued waits. */
  get isHeld(): boolean {
    return this.#terms !== undefined && !maySend(this.#terms);
  }

  /** False while there is nowhere to send: before the SDP, or it said 0.0.0.0. */
  get remoteIsKnown(): boolean {
    return this.#receiver.target !== undefined;
  }

  /**
   * When the peer was last heard (audio, comfort noise, a key), on the clock's `now`: the start or the
   * end of a hold if not since; the present while nothing is to be expected.
   */
  get lastAudioAt(): number {
    if (!this.#expectsAudio) return this.#parts.clock.now();
    return Math.max(this.#expectedSince, this.#receiver.heardAt);
  }

  setListener(listener: LineListener): void {
    this.#listener = listener;
  }

  /** Answers an offer, the first or a later one. Throws SDP_INVALID or MEDIA_NOT_ACCEPTABLE, changing nothing. */
  answer(offer: string): string {
    const { text, terms } = this.#exchange.answer(offer);
    this.#isAnnounced = true;
    this.#apply(terms);
    return text;
  }

  /** Our own offer, to be followed by `accept`. */
  offer(): string {
    this.#isAnnounced = true;
    return this.#exchange.offer();
  }

  /** The answer to our offer. Throws SDP_INVALID or MEDIA_NOT_ACCEPTABLE, changing nothing. */
  accept(answer: string): void {
    this.#apply(this.#exchange.accept(answer));
  }

  /** Begins to send: audio, or silence until there is some. */
  start(): void {
    if (this.#isStarted || this.#closing) return;
    this.#isStarted = true;
    this.#expectedSince = this.#parts.clock.now();
    this.#joinWheel();
  }

  play(audio: Buffer): void {
    if (!this.#closing) this.#playout.push(audio);
  }

  clear(): void {
    this.#playout.clear();
  }

  /**
   * Presses keys (0-9 * # A-D) towards the peer by RFC 4733; audio that is queued waits meanwhile, and
   * a hold ends it. False: nothing is sent, since the peer takes no events now or these are no keys.
   */
  sendDigits(digits: string): boolean {
    if (!this.#isStarted || this.#closing || this.isHeld) return false;
    return this.#eventType !== undefined && this.#digits.push(digits);
  }

  /** A key press that came by SIP INFO. */
  injectDigit(digit: string, duration: number): void {
    if (!this.#closing) this.#listener?.onDigit(digit, duration);
  }

  /** Records both sides to a WAV file until the end of the call; a disk error ends only the recording. */
  record(file: string): void {
    if (this.#recorder || this.#closing) return;
    const { log, id } = this.#parts;
    const wav = new WavFile(file, { channels: 2, sampleRateHz: 8000 }, (error) => {
      log.warn({ endpoint: id, reason: messageOf(error) }, 'recording failed');
      this.#stopRecording();
    });
    this.#recorder = new StereoRecorder(wav, this.#law);
    this.#sender.onFrame = (frame) => this.#recorder?.agent(frame);
  }

  stats(): EndpointStats {
    const { statistics } = this.#receiver;
    return {
      packetsIn: this.#receiver.packets,
      bytesIn: this.#receiver.sizeBytes,
      packetsOut: this.#sender.packets,
      bytesOut: this.#sender.sizeBytes,
      lost: statistics.lost,
      jitterMs: statistics.jitterMs,
      strangers: this.#receiver.strangers,
      malformed: this.#receiver.malformed + this.#malformedReports,
      droppedFrames: this.#playout.droppedFrames,
      remote: this.#reporter.remote,
      late: this.#receiver.late,
      concealed: this.#receiver.concealedSamples / 8,
      quality: this.#quality(),
    };
  }

  /** Says BYE by RTCP, frees the ports and completes the recording. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** For the wheel. */
  tick(now: number): void {
    if (this.#closing) return;
    this.#receiver.tick(now);
    this.#reporter.tick(now, this.#parts.clock.wall());
    const { target } = this.#receiver;
    if (!target || this.isHeld) {
      this.#digits.clear();
      this.#pass(1);
    } else if (this.#digits.isBusy) this.#sendDigit(target);
    else if (this.#sender.send(target)) this.#listener?.onPlayed();
  }

  /** For the wheel. */
  skip(frames: number): void {
    if (this.#closing) return;
    this.#playout.skipped(frames);
    this.#pass(frames);
  }

  /** One frame of what `sendDigits` was given. */
  #sendDigit(target: Address): void {
    const frame = this.#digits.next(this.#ptime);
    const payloadType = this.#eventType;
    if (frame.kind !== 'event' || payloadType === undefined) return this.#pass(1);
    this.#sender.sendEvent(target, { ...frame, payloadType });
    this.#recorder?.pass(this.#ptime * 8);
  }

  /** The peer's number for events: of an answer to us it is the last. */
  get #eventType(): number | undefined {
    return this.#terms?.telephoneEvents.at(-1);
  }

  #quality(): EndpointStats['quality'] {
    const { statistics, packets } = this.#receiver;
    const { remote } = this.#reporter;
    // Half the way there and back, one packet to fill, and what may wait to be put in order.
    const delay = (remote?.roundTripMs ?? 0) / 2 + this.#ptime + reorderWait;
    const { lost, jitterMs } = statistics;
    const sent = remote && {
      received: Math.max(0, this.#sender.packets - remote.lost),
      lost: remote.lost,
      jitterMs: remote.jitterMs,
      delay,
    };
    return {
      received: qualityOf(this.#law, { received: packets, lost, jitterMs, delay }),
      sent: sent && qualityOf(this.#law, sent),
    };
  }

  get #expectsAudio(): boolean {
    return this.#isStarted && this.#terms?.direction === 'sendrecv';
  }

  #apply(terms: Terms): void {
    const now = this.#parts.clock.now();
    if (!this.#terms) {
      this.#law = terms.law;
      this.#playout.law = terms.law;
    }
    const before = this.#terms;
    // A pause in which nothing was expected must not count as the peer's silence.
    if (!this.#expectsAudio) this.#expectedSince = now;
    this.#terms = terms;
    if (!sameAddress(before?.remoteRtcp, terms.remoteRtcp)) this.#rtcpSource = undefined;
    this.#receiver.configure(terms, this.#law, now);
    if (!sameFormat(before, terms)) this.#sender.configure(terms, this.#law);
    if (before?.ptime === terms.ptime) return;
    this.#playout.ptime = terms.ptime;
    if (this.#isStarted) this.#joinWheel();
  }

  #joinWheel(): void {
    this.#leaveWheel?.();
    this.#leaveWheel = this.#parts.wheel.add(this, this.#ptime);
  }

  get #ptime(): number {
    return this.#terms?.ptime ?? 20;
  }

  #pass(frames: number): void {
    this.#sender.pass(frames);
    this.#recorder?.pass(frames * this.#ptime * 8);
  }

  #onAudio(audio: Buffer, timestamp: number): void {
    // What comes during a hold is the peer's music, not the caller.
    if (this.#terms?.direction !== 'sendrecv') return;
    this.#recorder?.caller(audio, timestamp);
    this.#listener?.onAudio(audio);
  }

  readonly #onRtp = (packet: Buffer, address: string, port: number): void => {
    if (this.#terms?.isMuxed && isRtcp(packet)) this.#onRtcp(packet, address, port);
    else this.#receiver.receive(packet, { address, port }, this.#parts.clock.now());
  };

  readonly #onRtcp = (packet: Buffer, address: string, port: number): void => {
    const { clock } = this.#parts;
    if (!this.#receiver.isPeerHost(address)) {
      this.#receiver.strangers += 1;
      return;
    }
    if (!this.#reporter.receive(packet, { now: clock.now(), wall: clock.wall() }))
      this.#malformedReports += 1;
    else this.#rtcpSource = { address, port };
  };

  #rtcpTarget(): Address | undefined {
    const terms = this.#terms;
    // RFC 3264 §8.4: 0.0.0.0 asks for neither RTP nor RTCP.
    if (!terms?.remote) return undefined;
    return terms.isMuxed ? this.#receiver.target : (this.#rtcpSource ?? terms.remoteRtcp);
  }

  #sendReport(packet: Buffer, target: Address): void {
    const { rtp, rtcp } = this.#parts.sockets;
    (this.#terms?.isMuxed ? rtp : rtcp).send(packet, target);
  }

  #stopRecording(): void {
    this.#sender.onFrame = undefined;
    this.#recorder = undefined;
  }

  async #close(): Promise<void> {
    const { clock, sockets, onClosed } = this.#parts;
    this.#leaveWheel?.();
    this.#reporter.bye(clock.now(), clock.wall());
    const recorder = this.#recorder;
    this.#stopRecording();
    await Promise.all([sockets.rtp.close(), sockets.rtcp.close(), recorder?.close()]);
    // A call that was refused before any audio went either way leaves no peer that still sends.
    const { packets, strangers } = this.#receiver;
    const hadMedia = this.#isStarted || packets > 0 || strangers > 0;
    onClosed({ isAnnounced: this.#isAnnounced && hadMedia });
  }
}

function maySend(terms: Terms): boolean {
  return terms.direction === 'sendrecv' || terms.direction === 'sendonly';
}

function sameAddress(a: Address | undefined, b: Address | undefined): boolean {
  return a?.address === b?.address && a?.port === b?.port;
}

function sameFormat(a: Terms | undefined, b: Terms): boolean {
  return a?.law === b.law && a.payloadType === b.payloadType && a.ptime === b.ptime;
}
