import type { HistoryItem, Session, SessionEvent } from '../ai/session.ts';
import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { AudioFormat } from '../media/format.ts';
import type { Line } from '../media/line.ts';
import { CallerAudio } from './caller-audio.ts';
import type { ConversationEvent } from './events.ts';
import { historyOf } from './history.ts';
import { ReplyWatch } from './reply-watch.ts';
import type { ToolCall } from './tools/desk.ts';
import { Transcript } from './transcript.ts';
import type { Mode } from './turn.ts';
import { ownSession, TurnTaking } from './turn-taking.ts';

/** After the caller's words the session replies by itself, else it is asked to. */
const replyTimeout = 10_000;
/** The same when a tool's result or keys wait for it. */
const shortReplyTimeout = 2000;
/** Replies that may fail one after the other before the session is given up. */
const failuresBorne = 3;
/** Keys kept while no session can take them. */
const digitsKept = 32;

export interface ExchangeDependencies {
  readonly clock: Clock;
  readonly log: Log;
  readonly onEvent: (event: ConversationEvent) => void;
  readonly onToolCall: (call: ToolCall) => void;
  /** The caller spoke or pressed a key. */
  readonly onCallerActive: () => void;
  /** The session owes a reply and is silent, or its replies fail. */
  readonly onUseless: (code: 'silent' | 'replies-failed') => void;
  /** Something changed otherwise than by a call of a method. */
  readonly onChange: () => void;
}

/**
 * What is said between the caller and the session of the moment: audio both ways, who has the floor, the
 * transcript, and which reply is still owed. Outlives the sessions.
 */
export class Exchange {
  readonly transcript: Transcript;
  readonly #dependencies: ExchangeDependencies;
  readonly #turns: TurnTaking;
  readonly #callerAudio = new CallerAudio();
  readonly #watch: ReplyWatch;
  #session: Session | undefined;
  #attachedAt = 0;
  #hasGreeted = false;
  #owesReply = false;
  #failures = 0;
  #digits: string[] = [];

  constructor(dependencies: ExchangeDependencies) {
    const { clock, onEvent, onChange, onUseless } = dependencies;
    this.#dependencies = dependencies;
    this.transcript = new Transcript(clock, (turn) => onEvent({ type: 'turn', turn }));
    this.#turns = new TurnTaking({
      onInterrupt: (heard) => this.#session?.interrupt(heard),
      onItemStarted: (item, session) => this.#itemStarted(item, session),
      onSettled: (of) => this.transcript.agentHeard(`${of.session}/${of.item}`, of),
      onFirstAudio: () => onEvent({ type: 'first-audio', after: clock.now() - this.#attachedAt }),
    });
    this.#watch = new ReplyWatch({
      clock,
      onSilent: () => onUseless('silent'),
      onOwed: () => {
        this.#owesReply = true;
        onChange();
      },
    });
  }

  get isAttached(): boolean {
    return this.#turns.isAttached;
  }

  /** The agent has nothing more to say. */
  get isSilent(): boolean {
    return this.#turns.isSilent;
  }

  /** The caller hears nothing and says nothing. */
  get isLineQuiet(): boolean {
    return this.#turns.isEmpty && this.#turns.state.caller === 'quiet';
  }

  /** Some of the greeting was received; until then a new session is told to say it. */
  get hasGreeted(): boolean {
    return this.#hasGreeted;
  }

  attach(line: Line): void {
    this.#attachedAt = this.#dependencies.clock.now();
    this.#turns.attach(line);
  }

  /** What a new session is told. Keys that come later are kept for it. */
  history(): readonly HistoryItem[] {
    this.#digits = [];
    const { transcript } = this;
    return historyOf(transcript.turns(), (turn) => transcript.isPending(turn));
  }

  /** Tells the session to speak first, if it has to, and then all that the caller said meanwhile. */
  connect(session: Session, greeting: string | undefined): void {
    this.#session = session;
    if (greeting !== undefined) {
      this.#owesReply = false;
      this.say(greeting);
    }
    this.#callerAudio.connect((audio) => session.appendAudio(audio));
    for (const digit of this.#digits) session.appendDigit(digit);
    this.#digits = [];
  }

  /** The session is gone. `isOwed`: it leaves something to answer besides what is known here. */
  disconnect(isOwed: boolean): void {
    const { asked, reply, caller } = this.#turns.state;
    this.#session = undefined;
    this.#failures = 0;
    this.#owesReply ||= isOwed || asked > 0 || reply !== undefined || this.#watch.isOwed;
    this.#turns.step({ type: 'session-lost' });
    this.#callerAudio.disconnect();
    this.transcript.endCallers();
    this.#watch.stop();
    if (caller === 'speaking') this.#watch.owe(replyTimeout);
  }

  end(): void {
    this.#callerAudio.withhold(true);
    this.#turns.step({ type: 'ended' });
    this.transcript.endCallers();
    this.#watch.stop();
  }

  /** To be set before anything is heard or said. */
  set format(format: AudioFormat) {
    this.#callerAudio.format = format;
    this.#turns.format = format;
  }

  /** The hot path. */
  onAudio(audio: Buffer): void {
    this.#callerAudio.append(audio);
  }

  onPlayed(): void {
    this.#turns.step({ type: 'played' });
  }

  /** `isWanted`: the session is to know of it. */
  onDigit(digit: string, isWanted: boolean): void {
    this.transcript.digit(digit);
    this.#cutIn('digit');
    if (!isWanted) return;
    if (this.#session) this.#session.appendDigit(digit);
    else this.#digits = [...this.#digits, digit].slice(-digitsKept);
    // A session that has no use for keys does not answer them; it is asked to.
    this.#watch.owe(shortReplyTimeout);
  }

  /** The hot path, for `audio`: false, nothing else changed. */
  onSessionEvent(event: Exclude<SessionEvent, { type: 'lost' }>): boolean {
    // A fault may be the adapter's own.
    if (event.type !== 'fault') this.#watch.heard();
    if (event.type === 'audio') {
      this.#turns.play(event.reply, event.item, event.audio);
      return false;
    }
    this.#handle(event);
    return true;
  }

  say(text: string): void {
    if (!this.#session) return;
    this.#turns.step({ type: 'asked' });
    this.#watch.heard();
    this.#session.say(text);
  }

  addToolResult(callId: string, output: string): void {
    this.#session?.addToolResult(callId, output);
    this.#owesReply = true;
  }

  oweReply(): void {
    this.#owesReply = true;
  }

  /** Asks for the reply that is owed unless someone speaks; watches over what was asked for. */
  settleDebts(mayRespond: boolean): void {
    const { asked, reply, caller } = this.#turns.state;
    const isIdle = asked === 0 && reply === undefined;
    if (this.#owesReply && this.#session && mayRespond && isIdle && caller === 'quiet') {
      this.#owesReply = false;
      this.#watch.paid();
      this.#turns.step({ type: 'asked' });
      this.#session.respond();
    }
    this.#watch.setDue(this.#session !== undefined && (!isIdle || this.#turns.state.asked > 0));
  }

  /** Stops the agent in mid-word. */
  silence(): void {
    this.#turns.step({ type: 'silenced' });
  }

  setMode(mode: Mode): void {
    this.#turns.step({ type: 'mode', mode });
    if (mode !== 'open') this.#watch.paid();
  }

  withhold(isWithheld: boolean): void {
    this.#callerAudio.withhold(isWithheld);
  }

  /** Queues a phrase of our own; `text` is empty for a tone. */
  playOwn(audio: Buffer, text: string): void {
    const item = this.#turns.playOwn(audio);
    this.transcript.agentSaid(`${ownSession}/${item}`, text, true);
  }

  #handle(event: Exclude<SessionEvent, { type: 'lost' | 'audio' }>): void {
    switch (event.type) {
      case 'speech-started':
        this.#watch.paid();
        this.#cutIn('speech');
        // After the cut, so that the turn he cut off stands before his own.
        this.transcript.callerBegan();
        break;
      case 'speech-stopped':
        this.#speechStopped();
        break;
      case 'caller-transcript':
        this.transcript.callerSaid(this.#keyOf(event.item), event.text, event.final);
        break;
      case 'reply-started':
        this.#turns.step(event);
        this.#watch.paid();
        this.#owesReply = false;
        break;
      case 'agent-transcript':
        this.transcript.agentSaid(this.#keyOf(event.item), event.text, event.final);
        break;
      case 'tool-call':
        this.#dependencies.onToolCall(event);
        break;
      case 'reply-ended':
        this.#replyEnded(event);
        break;
      case 'fault':
        this.#dependencies.log.warn({ code: event.code }, 'provider fault');
        break;
    }
  }

  /** A reply that failed is asked for again, so that the caller is not left without. */
  #replyEnded(event: Extract<SessionEvent, { type: 'reply-ended' }>): void {
    const { type, reply, status } = event;
    const isAwaited = this.#turns.state.reply === reply && this.#turns.state.mode === 'open';
    this.#turns.step({ type, reply, isComplete: status === 'completed' });
    if (status === 'completed') this.#failures = 0;
    if (status !== 'failed' || !isAwaited) return;
    this.#failures++;
    if (this.#failures < failuresBorne) this.#watch.owe(shortReplyTimeout);
    else this.#dependencies.onUseless('replies-failed');
  }

  /** The session replies to what the caller said, and with it to what else is owed. */
  #speechStopped(): void {
    this.#turns.step({ type: 'speech-stopped' });
    if (this.#turns.state.mode !== 'open') return;
    this.#watch.owe(this.#owesReply ? shortReplyTimeout : replyTimeout);
    this.#owesReply = false;
  }

  #cutIn(by: 'speech' | 'digit'): void {
    const { clock, onEvent, onCallerActive } = this.#dependencies;
    const began = clock.now();
    const isCleared = this.#turns.step({ type: by === 'speech' ? 'speech-started' : 'digit' });
    if (isCleared) onEvent({ type: 'barge-in', by, stoppedAfter: clock.now() - began });
    onCallerActive();
  }

  #itemStarted(item: string, session: number): void {
    if (session !== ownSession) this.#hasGreeted = true;
    this.transcript.agentBegan(`${session}/${item}`);
  }

  #keyOf(item: string): string {
    return `${this.#turns.state.session}/${item}`;
  }
}
