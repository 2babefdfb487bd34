import { parseRAck } from '../message/cseq.ts';
import { header } from '../message/headers.ts';
import type { SipRequest } from '../message/message.ts';
import { Repetition, type RepetitionParts } from './repetition.ts';

/** One reliable provisional that was not yet confirmed. */
interface Provisional {
  readonly sequence: number;
  send(): void;
}

/**
 * Reliable provisionals of one INVITE (RFC 3262 §3): numbered, repeated until their PRACK, the next
 * only when the one before is confirmed.
 */
export class ReliableProvisionals {
  readonly #parts: Omit<RepetitionParts, 'repeat' | 'longest'>;
  readonly #waiting: Provisional[] = [];
  #last: number;
  #repetition: Repetition | undefined;
  /** Runs when none is waiting any more: a 2xx that was held. */
  #whenDone: (() => void) | undefined;

  constructor(firstSequence: number, parts: Omit<RepetitionParts, 'repeat' | 'longest'>) {
    this.#last = firstSequence;
    this.#parts = parts;
  }

  get isWaiting(): boolean {
    return this.#waiting.length > 0;
  }

  /** The RSeq of the next. */
  nextSequence(): number {
    return this.#last++;
  }

  add(provisional: Provisional): void {
    this.#waiting.push(provisional);
    if (this.#waiting.length === 1) this.#sendFirst();
  }

  /** Takes a PRACK; false when it confirms nothing that waits. */
  confirm(prack: SipRequest, inviteSequence: number): boolean {
    const rack = parseRAck(header(prack, 'rack') ?? '');
    const [first] = this.#waiting;
    const isRight =
      rack?.method === 'INVITE' &&
      rack.sequence === inviteSequence &&
      rack.response === first?.sequence;
    if (!isRight) return false;
    this.#waiting.shift();
    this.#repetition?.stop();
    if (this.isWaiting) this.#sendFirst();
    else this.#finish();
    return true;
  }

  /** Runs the task when everything is confirmed. */
  whenDone(task: () => void): void {
    if (this.isWaiting) this.#whenDone = task;
    else task();
  }

  stop(): void {
    this.#repetition?.stop();
    this.#waiting.length = 0;
    this.#whenDone = undefined;
  }

  #finish(): void {
    const task = this.#whenDone;
    this.#whenDone = undefined;
    task?.();
  }

  #sendFirst(): void {
    const [first] = this.#waiting;
    if (!first) return;
    first.send();
    this.#repetition = new Repetition({
      ...this.#parts,
      longest: Number.POSITIVE_INFINITY,
      repeat: () => first.send(),
      giveUp: () => this.#parts.giveUp(),
    });
  }
}
