import { contentLengthOf, endOfHead, type Head, parseHead } from './head.ts';
import type { MessageLimits } from './limits.ts';
import type { SipMessage } from './message.ts';
import { errorOf, messageOf, tooLarge } from './parse.ts';
import type { ParseError } from './parse-error.ts';

/** What a stream held. After a `fatal` error the stream is of no more use. */
export type Frame =
  | { readonly kind: 'message'; readonly message: SipMessage; readonly sizeBytes: number }
  | { readonly kind: 'error'; readonly error: ParseError; readonly isFatal: boolean }
  /** CRLFCRLF, to be answered by CRLF (RFC 5626 §3.5.1). */
  | { readonly kind: 'ping' }
  | { readonly kind: 'pong' };

/** Cuts a TCP or TLS stream into messages (§18.3). */
export interface Framer {
  /** Takes what was received and returns what is now complete; never throws. */
  push(bytes: Buffer): Frame[];
  /** Says that a ping was sent, so that the next single CRLF is its pong. */
  expectPong(): void;
  /** True while a message is incomplete. */
  readonly isWaiting: boolean;
}

export function createFramer(limits: MessageLimits): Framer {
  return new StreamFramer(limits);
}

/** The head of a message whose body has not arrived completely. */
interface Pending {
  readonly head: Head;
  readonly headBytes: number;
  readonly bodyBytes: number;
}

const pingBytes = Buffer.from('\r\n\r\n');

class StreamFramer implements Framer {
  readonly #limits: MessageLimits;
  #buffer: Buffer = Buffer.alloc(0);
  #start = 0;
  #end = 0;
  /** Up to here the buffer has been searched for the end of a head. */
  #searched = 0;
  #pending: Pending | undefined;
  #pongs = 0;
  #isBroken = false;

  constructor(limits: MessageLimits) {
    this.#limits = limits;
  }

  get isWaiting(): boolean {
    return !this.#isBroken && this.#end > this.#start;
  }

  expectPong(): void {
    this.#pongs++;
  }

  push(bytes: Buffer): Frame[] {
    const frames: Frame[] = [];
    if (this.#isBroken) return frames;
    this.#append(bytes);
    for (let frame = this.#next(); frame; frame = this.#next()) {
      frames.push(frame);
      if (frame.kind === 'error' && frame.isFatal) return this.#break(frames);
    }
    if (this.#start === this.#end) this.#release();
    return frames;
  }

  /** Grows by doubling, so that a byte at a time costs no more than the whole at once. */
  #append(bytes: Buffer): void {
    const used = this.#end - this.#start;
    if (this.#end + bytes.length > this.#buffer.length) {
      const next = Buffer.allocUnsafe(Math.max(2048, (used + bytes.length) * 2));
      this.#buffer.copy(next, 0, this.#start, this.#end);
      this.#searched -= this.#start;
      this.#buffer = next;
      this.#start = 0;
      this.#end = used;
    }
    bytes.copy(this.#buffer, this.#end);
    this.#end += bytes.length;
  }

  /** An idle connection holds no buffer. */
  #release(): void {
    this.#buffer = Buffer.alloc(0);
    this.#start = 0;
    this.#end = 0;
    this.#searched = 0;
  }

  #break(frames: Frame[]): Frame[] {
    this.#isBroken = true;
    this.#release();
    return frames;
  }

  #next(): Frame | undefined {
    if (this.#pending) return this.#body(this.#pending);
    return this.#keepalive() ?? this.#head();
  }

  /** Line ends between messages: pings, pongs, and those that mean nothing. */
  #keepalive(): Frame | undefined {
    const waiting = this.#buffer.subarray(this.#start, this.#end);
    if (waiting[0] !== 0x0d || waiting[1] !== 0x0a) return undefined;
    if (this.#pongs > 0) {
      this.#pongs--;
      this.#consume(2);
      return { kind: 'pong' };
    }
    if (pingBytes.equals(waiting.subarray(0, 4))) {
      this.#consume(4);
      return { kind: 'ping' };
    }
    return undefined;
  }

  #consume(bytes: number): void {
    this.#start += bytes;
    this.#searched = this.#start;
  }

  #head(): Frame | undefined {
    this.#skipLineEnds();
    const waiting = this.#buffer.subarray(this.#start, this.#end);
    // The end of a head may lie across two pushes, at most three bytes before the new ones.
    const from = Math.max(this.#searched - this.#start - 3, 0);
    const end = endOfHead(waiting, from);
    this.#searched = this.#end;
    if (end > this.#limits.headBytes || (end < 0 && waiting.length > this.#limits.headBytes)) {
      return fatal(tooLarge(waiting, this.#limits));
    }
    return end < 0 ? undefined : this.#frame(waiting.subarray(0, end));
  }

  /** §7.5: line ends before a start line mean nothing, once it is clear that they are no ping. */
  #skipLineEnds(): void {
    let at = this.#start;
    while (at < this.#end && (this.#buffer[at] === 0x0d || this.#buffer[at] === 0x0a)) at++;
    if (at < this.#end && at > this.#start) this.#consume(at - this.#start);
  }

  #frame(bytes: Buffer): Frame | undefined {
    const head = parseHead(bytes, this.#limits);
    if ('kind' in head) return fatal(head);
    const length = contentLengthOf(head.headers);
    if ('problem' in length) return fatal(errorOf(head, length.problem, 400));
    if (length.bytes === undefined) return fatal(errorOf(head, 'no Content-Length', 400));
    if (length.bytes > this.#limits.bodyBytes) return fatal(errorOf(head, 'body too large', 413));
    this.#pending = { head, headBytes: bytes.length, bodyBytes: length.bytes };
    return this.#body(this.#pending);
  }

  #body({ head, headBytes, bodyBytes }: Pending): Frame | undefined {
    const sizeBytes = headBytes + bodyBytes;
    if (this.#end - this.#start < sizeBytes) return undefined;
    const from = this.#start + headBytes;
    const message = messageOf(head, this.#buffer.subarray(from, from + bodyBytes));
    this.#pending = undefined;
    this.#consume(sizeBytes);
    if (message.kind === 'error') return { kind: 'error', error: message, isFatal: false };
    return { kind: 'message', message, sizeBytes };
  }
}

/** Where a message ends is unknown, so nothing behind it can be trusted. */
function fatal(error: ParseError): Frame {
  return { kind: 'error', error, isFatal: true };
}
