import type { Clock } from '../base/clock.ts';
import type { AgentTurn, CallerTurn, DigitsTurn, ToolTurn, Turn } from './turns.ts';

/** Text of items that have not sounded yet; providers have one or two. */
const textsKept = 16;

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** The call's turns as they come about. Items are named by key: session and item id together. */
export class Transcript {
  readonly #clock: Clock;
  readonly #onTurn: (turn: Turn) => void;
  readonly #turns: Turn[] = [];
  readonly #callers = new Map<string, Mutable<CallerTurn>>();
  readonly #agents = new Map<string, Mutable<AgentTurn>>();
  /** Agent turns that have something to be played yet, by number. */
  readonly #pending = new Set<number>();
  readonly #tools = new Map<number, Mutable<ToolTurn>>();
  /** Speech that began and has no words yet, oldest first. */
  #unnamed: Mutable<CallerTurn>[] = [];
  /** Words of the caller whose final form is still to come. */
  readonly #unfinished = new Set<Mutable<CallerTurn>>();
  /** Text that came before the item's first sound. */
  readonly #texts = new Map<string, string>();

  constructor(clock: Clock, onTurn: (turn: Turn) => void) {
    this.#clock = clock;
    this.#onTurn = onTurn;
  }

  /** Copies, in order; speech without words is left out. */
  turns(): readonly Turn[] {
    return this.#turns
      .filter((turn) => turn.role !== 'caller' || turn.text !== '')
      .map((turn) => ({ ...turn }));
  }

  /** Some of the agent's turn is still to be played. */
  isPending(turn: Turn): boolean {
    return this.#pending.has(turn.number);
  }

  /** Keeps the caller's place in the order: his words come after the agent has begun to answer. */
  callerBegan(): void {
    this.#unnamed.push(
      this.#add<Mutable<CallerTurn>>({ ...this.#next(), role: 'caller', text: '' }),
    );
  }

  callerSaid(key: string, text: string, isFinal: boolean): void {
    let turn = this.#callers.get(key);
    if (!turn) {
      turn =
        this.#unnamed.shift() ??
        this.#add<Mutable<CallerTurn>>({ ...this.#next(), role: 'caller', text: '' });
      this.#callers.set(key, turn);
    }
    turn.text = isFinal ? text : turn.text + text;
    if (isFinal) this.#unfinished.delete(turn);
    else this.#unfinished.add(turn);
    if (isFinal && text !== '') this.#report(turn);
  }

  /** The session is gone: what it has not written down of the caller's words stays as it is. */
  endCallers(): void {
    this.#unnamed = [];
    for (const turn of this.#unfinished) this.#report(turn);
    this.#unfinished.clear();
  }

  agentBegan(key: string): void {
    if (this.#agents.has(key)) return;
    const text = this.#texts.get(key) ?? '';
    this.#texts.delete(key);
    const turn = this.#add<Mutable<AgentTurn>>({
      ...this.#next(),
      role: 'agent',
      text,
      heardText: '',
      heard: 0,
      received: 0,
      isInterrupted: false,
    });
    this.#agents.set(key, turn);
    this.#pending.add(turn.number);
  }

  agentSaid(key: string, text: string, isFinal: boolean): void {
    const turn = this.#agents.get(key);
    if (!turn) {
      this.#keepText(key, isFinal ? text : (this.#texts.get(key) ?? '') + text);
      return;
    }
    const isSettled = !this.#pending.has(turn.number);
    // Text that comes after the cut belongs to audio nobody counted.
    if (isSettled && turn.isInterrupted && turn.text !== '') return;
    turn.text = isFinal ? text : turn.text + text;
    turn.heardText = heardTextOf(turn);
    if (isSettled && isFinal) this.#report(turn);
  }

  /** All that will be played of the item was played. */
  agentHeard(key: string, of: { heard: number; received: number; isInterrupted: boolean }): void {
    const turn = this.#agents.get(key);
    if (!turn) return;
    this.#pending.delete(turn.number);
    turn.heard += of.heard;
    turn.received += of.received;
    turn.isInterrupted ||= of.isInterrupted;
    turn.heardText = heardTextOf(turn);
    this.#report(turn);
  }

  /** Returns the turn's number, by which `toolEnded` knows it. */
  toolStarted(call: { callId: string; name: string; arguments: string }): number {
    const { callId, name } = call;
    const turn = this.#add<Mutable<ToolTurn>>({
      ...this.#next(),
      role: 'tool',
      callId,
      name,
      arguments: call.arguments,
      outcome: 'running',
    });
    this.#tools.set(turn.number, turn);
    this.#report(turn);
    return turn.number;
  }

  toolEnded(number: number, outcome: ToolTurn['outcome'], result: string): void {
    const turn = this.#tools.get(number);
    if (!turn) return;
    turn.outcome = outcome;
    turn.result = result;
    this.#report(turn);
  }

  digit(digit: string): void {
    const last = this.#turns.at(-1);
    const turn: Mutable<DigitsTurn> =
      last?.role === 'digits'
        ? last
        : this.#add<Mutable<DigitsTurn>>({ ...this.#next(), role: 'digits', digits: '' });
    turn.digits += digit;
    this.#report(turn);
  }

  #keepText(key: string, text: string): void {
    this.#texts.delete(key);
    this.#texts.set(key, text);
    const oldest = this.#texts.keys().next().value;
    if (this.#texts.size > textsKept && oldest !== undefined) this.#texts.delete(oldest);
  }

  #next(): { number: number; at: number } {
    return { number: (this.#turns.at(-1)?.number ?? 0) + 1, at: this.#clock.wall() };
  }

  #add<T extends Turn>(turn: T): T {
    this.#turns.push(turn);
    return turn;
  }

  #report(turn: Turn): void {
    this.#onTurn({ ...turn });
  }
}

/** Speech is taken to be spread evenly over its audio; cut at the last whole word. */
function heardTextOf(turn: AgentTurn): string {
  if (!turn.isInterrupted) return turn.text;
  if (turn.received === 0) return '';
  const length = Math.floor((turn.text.length * turn.heard) / turn.received);
  if (length >= turn.text.length) return turn.text;
  const isWordEnd = /\s/.test(turn.text.charAt(length));
  const heard = turn.text.slice(0, length);
  return (isWordEnd ? heard : heard.replace(/\S*$/, '')).trimEnd();
}
