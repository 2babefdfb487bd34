import type { SipMessage } from './message.ts';

/** RFC 3261 §17, for UDP. */
const T1 = 500;
const T2 = 4000;
const lifetime = 64 * T1;

/** Sends a request again and again until it is answered (§17.1). */
export class ClientTransaction {
  readonly request: SipMessage;
  readonly #isInvite: boolean;
  readonly #onTimeout: () => void;
  #resend: NodeJS.Timeout | undefined;
  readonly #limit: NodeJS.Timeout;

  constructor(of: {
    readonly request: SipMessage;
    readonly isInvite: boolean;
    readonly send: () => void;
    readonly onTimeout: () => void;
  }) {
    this.request = of.request;
    this.#isInvite = of.isInvite;
    this.#onTimeout = of.onTimeout;
    of.send();
    this.#again(T1, of.send);
    this.#limit = setTimeout(() => {
      this.stop();
      this.#onTimeout();
    }, lifetime);
  }

  /** A provisional answer stops the resending of an INVITE, and its time limit (§17.1.1.2). */
  provisional(): void {
    if (!this.#isInvite) return;
    clearTimeout(this.#resend);
    clearTimeout(this.#limit);
  }

  stop(): void {
    clearTimeout(this.#resend);
    clearTimeout(this.#limit);
  }

  #again(delay: number, send: () => void): void {
    this.#resend = setTimeout(() => {
      send();
      this.#again(this.#isInvite ? 2 * delay : Math.min(2 * delay, T2), send);
    }, delay);
  }
}

/** Repeats a final answer to an INVITE until its ACK comes (§13.3.1.4, §17.2.1). */
export class AnswerRepeater {
  #resend: NodeJS.Timeout | undefined;
  readonly #limit: NodeJS.Timeout;

  constructor(send: () => void, onTimeout: () => void) {
    send();
    this.#again(T1, send);
    this.#limit = setTimeout(() => {
      this.stop();
      onTimeout();
    }, lifetime);
  }

  stop(): void {
    clearTimeout(this.#resend);
    clearTimeout(this.#limit);
  }

  #again(delay: number, send: () => void): void {
    this.#resend = setTimeout(() => {
      send();
      this.#again(Math.min(2 * delay, T2), send);
    }, delay);
  }
}
