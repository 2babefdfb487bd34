import type { AudioFormat } from '../media/format.ts';
import type { Line } from '../media/line.ts';
import { Playout } from './playout.ts';
import type { Heard, TurnEffect, TurnEvent, TurnState } from './turn.ts';
import { accepts, initialTurn, isSilent, step } from './turn.ts';

/** Phrases of our own, not of a session, carry this session number. */
export const ownSession = -1;

export interface TurnTakingListener {
  onInterrupt(heard: Heard | undefined): void;
  onItemStarted(item: string, session: number): void;
  onSettled(settled: Extract<TurnEffect, { type: 'settled' }>): void;
  /** Sound reaches the line for the first time. */
  onFirstAudio(): void;
}

/** Runs the turn machine on a line, and takes audio past it. */
export class TurnTaking {
  readonly #listener: TurnTakingListener;
  readonly #playout = new Playout();
  #state: TurnState = initialTurn;
  /** The reply and item whose audio goes straight to the line. */
  #reply: string | undefined;
  #item: string | undefined;
  #phrases = 0;
  #hasSounded = false;

  constructor(listener: TurnTakingListener) {
    this.#listener = listener;
  }

  get state(): TurnState {
    return this.#state;
  }

  get isAttached(): boolean {
    return this.#playout.isAttached;
  }

  /** Nothing is queued for the caller's ear. */
  get isEmpty(): boolean {
    return this.#playout.isEmpty;
  }

  /** Nothing is queued, and nothing is to come. */
  get isSilent(): boolean {
    return isSilent(this.#state, this.#playout.position);
  }

  attach(line: Line): void {
    const isWaiting = !this.#playout.isEmpty;
    this.#playout.attach(line);
    if (isWaiting) this.#sounded();
  }

  /** The hot path: two comparisons when the item is the one before. False: dropped. */
  play(reply: string, item: string, audio: Buffer): boolean {
    if (reply !== this.#reply || item !== this.#item) {
      if (!accepts(this.#state, reply)) return false;
      this.#begin(this.#state.session, reply, item);
    }
    this.#playout.play(audio);
    if (!this.#hasSounded) this.#sounded();
    return true;
  }

  /** Queues a phrase that comes from no session; returns its item. */
  playOwn(audio: Buffer): string {
    const item = `phrase-${++this.#phrases}`;
    this.#begin(ownSession, item, item);
    this.#playout.play(audio);
    if (!this.#hasSounded) this.#sounded();
    // The next piece of a session's item must start a span of its own.
    this.#forget();
    return item;
  }

  /** True when the line was cleared: the agent was cut off in mid-sound. */
  set format(format: AudioFormat) {
    this.#playout.format = format;
  }

  step(event: TurnEvent): boolean {
    const [state, effects] = step(this.#state, event, this.#playout.position);
    this.#state = state;
    if (event.type !== 'played' && event.type !== 'item-started') this.#forget();
    let isCleared = false;
    for (const effect of effects) {
      isCleared ||= effect.type === 'clear';
      this.#run(effect);
    }
    return isCleared;
  }

  #begin(session: number, reply: string, item: string): void {
    this.#listener.onItemStarted(item, session);
    this.step({ type: 'item-started', session, reply, item });
    this.#reply = reply;
    this.#item = item;
  }

  #forget(): void {
    this.#reply = undefined;
    this.#item = undefined;
  }

  #sounded(): void {
    if (!this.#playout.isAttached) return;
    this.#hasSounded = true;
    this.#listener.onFirstAudio();
  }

  #run(effect: TurnEffect): void {
    switch (effect.type) {
      case 'clear':
        this.#playout.clear();
        break;
      case 'interrupt':
        this.#listener.onInterrupt(effect.heard);
        break;
      case 'settled':
        this.#listener.onSettled(effect);
        break;
    }
  }
}
