import type { Clock } from '../base/clock.ts';
import { messageOf } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import { Absence } from './absence.ts';
import {
  type CodecName,
  codecTable,
  createDecoder,
  createEncoder,
  formatFor,
  isPassThrough,
  lawOfCodec,
} from './audio/codecs.ts';
import type { OpusLibrary } from './audio/opus.ts';
import { StereoRecorder } from './audio/recorder.ts';
import { WavFile } from './audio/wav.ts';
import { type EndpointStats, endpointStatsOf } from './endpoint-stats.ts';
import { type AudioFormat, bytesPerMillisecondOf, sampleRateOf, silenceOf } from './format.ts';
import { type DigitsEnd, Keypad } from './keypad.ts';
import type { Line, LineListener } from './line.ts';
import { Playout } from './playout.ts';
import { isRtcp } from './rtp/packet.ts';
import { type ReceivingLine, RtpReceiver } from './rtp/receiver.ts';
import { Reporter } from './rtp/reporter.ts';
import { RtpSender, type SendFormat } from './rtp/sender.ts';
import type { SocketPair } from './rtp/socket.ts';
import type { Address } from './sdp/description.ts';
import { OfferAnswer } from './sdp/exchange.ts';
import type { Terms } from './sdp/negotiate.ts';
import type { Ticking, Wheel } from './wheel.ts';

export interface EndpointParts {
  readonly id: string;
  readonly codecs: readonly [CodecName, ...CodecName[]];
  /** What the conversation takes, best liked first. */
  readonly formats: readonly AudioFormat[];
  /** There when OPUS is among the codecs. */
  readonly opus: OpusLibrary | undefined;
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
  readonly #keypad: Keypad;
  readonly #absence = new Absence();
  #recordingsFailed = 0;
  /** From `now` to the time in RTCP, which must not jump when the wall clock is set (RFC 3550 §4). */
  readonly #wallOffset: number;
  #listener: LineListener | undefined;
  #format: AudioFormat;
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
    this.#format = formatFor(parts.codecs[0], parts.formats);
    this.#expectedSince = parts.clock.now();
    this.#wallOffset = parts.clock.wall() - parts.clock.now();
    const sessionId = Math.floor(random() * 0x7fff_ffff) + 1;
    this.#exchange = new OfferAnswer({ ...advertised, sessionId }, parts);
    this.#playout = new Playout(this.#format, 20);
    this.#sender = new RtpSender({ socket: sockets.rtp, playout: this.#playout, random });
    this.#keypad = new Keypad(this.#sender);
    this.#receiver = new RtpReceiver({
      onAudio: (audio, timestamp, unitsPerMs) => this.#onAudio(audio, timestamp, unitsPerMs),
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

  /** What the conversation hears and speaks: by the codec agreed first, for the whole call. */
  get format(): AudioFormat {
    return this.#format;
  }

  /** On the wire; undefined before the SDP. */
  get codec(): CodecName | undefined {
    return this.#terms?.codec;
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
   * a hold ends it. False: nothing is sent, since the peer takes no events now or these are no keys;
   * then `onEnd` is not called.
   */
  sendDigits(digits: string, onEnd: DigitsEnd = () => undefined): boolean {
    if (!this.#isStarted || this.#closing || this.isHeld) return false;
    return this.#eventType !== undefined && this.#keypad.push(digits, onEnd);
  }

  /** A key press that came by SIP INFO. */
  injectDigit(digit: string, duration: number): void {
    if (!this.#closing) this.#listener?.onDigit(digit, duration);
  }

  /** Records both sides to a WAV file until the end of the call; a disk error ends only the recording. */
  record(file: string): void {
    if (this.#recorder || this.#closing) return;
    const { log, id } = this.#parts;
    const wav = new WavFile(
      file,
      { channels: 2, sampleRateHz: sampleRateOf(this.#format) },
      (error) => {
        log.warn({ endpoint: id, reason: messageOf(error) }, 'recording failed');
        this.#recordingsFailed = 1;
        this.#stopRecording();
      },
    );
    this.#recorder = new StereoRecorder(wav, this.#format);
    this.#sender.onFrame = (frame) => this.#recorder?.agent(frame);
  }

  stats(): EndpointStats {
    return endpointStatsOf({
      ...this.#flows,
      playout: this.#playout,
      codec: this.#terms?.codec ?? this.#parts.codecs[0],
      ptime: this.#ptime,
      malformedReports: this.#malformedReports,
      recordingsFailed: this.#recordingsFailed,
    });
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
    if (this.#absence.isAbsent(now)) this.#onAbsence();
    this.#reporter.tick(now, now + this.#wallOffset);
    const { target } = this.#receiver;
    if (!target || this.isHeld) {
      this.#keypad.clear();
      this.#pass(1);
    } else if (this.#keypad.isBusy) this.#sendDigit(target);
    else if (this.#sender.send(target)) this.#listener?.onPlayed();
  }

  /** For the wheel. */
  skip(frames: number): void {
    if (this.#closing) return;
    this.#absence.stalled(this.#parts.clock.now());
    this.#playout.skipped(frames);
    this.#pass(frames);
  }

  /** One frame of what `sendDigits` was given. */
  #sendDigit(target: Address): void {
    const payloadType = this.#eventType;
    if (payloadType === undefined) this.#keypad.clear();
    else if (this.#keypad.send(target, { ptime: this.#ptime, payloadType })) {
      this.#recorder?.pass(this.#ptime);
      return;
    }
    this.#pass(1);
  }

  /** The peer's number for events: of an answer to us it is the last. */
  get #eventType(): number | undefined {
    return this.#terms?.telephoneEvents.at(-1);
  }

  get #flows() {
    return { receiver: this.#receiver, sender: this.#sender, reporter: this.#reporter };
  }

  get #expectsAudio(): boolean {
    return this.#isStarted && this.#terms?.direction === 'sendrecv';
  }

  #apply(terms: Terms): void {
    const now = this.#parts.clock.now();
    if (!this.#terms) {
      this.#format = formatFor(terms.codec, this.#parts.formats);
      this.#playout.format = this.#format;
    }
    const before = this.#terms;
    // A pause in which nothing was expected must not count as the peer's silence.
    if (!this.#expectsAudio) this.#expectedSince = now;
    this.#terms = terms;
    if (!sameAddress(before?.remoteRtcp, terms.remoteRtcp)) this.#rtcpSource = undefined;
    this.#receiver.configure(terms, this.#receivingLine, now);
    if (!sameFormat(before, terms)) this.#sender.configure(this.#sendFormat(terms));
    this.#keypad.unitsPerMs = codecTable[terms.codec].clockRateHz / 1000;
    if (before?.ptime === terms.ptime) return;
    this.#playout.ptime = terms.ptime;
    if (this.#isStarted) this.#joinWheel();
  }

  get #receivingLine(): ReceivingLine {
    const format = this.#format;
    const { opus } = this.#parts;
    return { format, createDecoder: (codec) => createDecoder({ codec, format, opus }) };
  }

  #sendFormat({ codec, payloadType, ptime, wantsFec: hasFec }: Terms): SendFormat {
    const format = this.#format;
    const { opus } = this.#parts;
    const law = isPassThrough(codec, format) ? lawOfCodec(codec) : undefined;
    const wire = law ?? createEncoder({ codec, format, opus, hasFec });
    return { payloadType, ptime, format, wire, unitsPerMs: codecTable[codec].clockRateHz / 1000 };
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
    this.#recorder?.pass(frames * this.#ptime);
  }

  #onAudio(audio: Buffer, timestamp: number, unitsPerMs: number): void {
    // What comes during a hold is the peer's music, not the caller.
    if (this.#terms?.direction !== 'sendrecv') return;
    this.#absence.heard(
      this.#parts.clock.now(),
      audio.length / bytesPerMillisecondOf(this.#format),
    );
    this.#recorder?.caller(audio, timestamp, unitsPerMs);
    this.#listener?.onAudio(audio);
  }

  /** Silence for who listens; the recording has it where nothing was written. */
  #onAbsence(): void {
    // On hold nobody listens, and silence would end the words that the hold has cut off.
    if (!this.#expectsAudio) return;
    const sizeBytes = this.#ptime * bytesPerMillisecondOf(this.#format);
    this.#receiver.standIn(this.#ptime);
    this.#listener?.onAudio(Buffer.alloc(sizeBytes, silenceOf(this.#format)));
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
    const now = clock.now();
    if (!this.#reporter.receive(packet, { now, wall: now + this.#wallOffset }))
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
    this.#keypad.clear();
    this.#reporter.bye(clock.now(), clock.now() + this.#wallOffset);
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
  return (
    a?.codec === b.codec &&
    a.wantsFec === b.wantsFec &&
    a.payloadType === b.payloadType &&
    a.ptime === b.ptime
  );
}
