import type { Provider, Session, SessionEvent, SessionOptions } from '../ai/session.ts';
import type { Clock } from '../base/clock.ts';
import { ConnectorError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import type { Agent } from '../contract/agent.ts';
import type { Termination } from '../contract/termination.ts';
import type { AudioFormat } from '../media/format.ts';
import type { Line, LineListener } from '../media/line.ts';
import type { CallControl, TransferOutcome, TransferTarget } from './call-control.ts';
import type { Wait } from './dead-air.ts';
import { DeadAir } from './dead-air.ts';
import type { ConversationEvent } from './events.ts';
import { Exchange } from './exchange.ts';
import { Limits } from './limits.ts';
import type { Speaker } from './phrases.ts';
import { maxDurationPhrase, Phrases, tone, waitingPhrase } from './phrases.ts';
import { QuietGate } from './quiet-gate.ts';
import type { Loss, Opened } from './session-link.ts';
import { SessionLink } from './session-link.ts';
import type { ToolCall } from './tools/desk.ts';
import { ToolDesk } from './tools/desk.ts';
import { callHttpTool } from './tools/http.ts';
import { specsOf } from './tools/specs.ts';
import { Transfer } from './transfer.ts';
import type { Turn } from './turns.ts';

export interface ConversationDependencies {
  readonly agent: Agent;
  /** The first is used, the rest are fallbacks in order; not owned, not closed here. */
  readonly providers: readonly Provider[];
  readonly control: CallControl;
  /** Without it a tone stands for the apology. */
  readonly speaker: Speaker | undefined;
  readonly clock: Clock;
  /** 0 ≤ x < 1. */
  readonly random: () => number;
  readonly log: Log;
  readonly onEvent: (event: ConversationEvent) => void;
}

/** A goodbye, or what the model says before a transfer, may take so long. */
const farewellTimeout = 20_000;
const announcementTimeout = 10_000;

const providerFailed: Termination = { result: 'failed', reason: 'provider-failed' };

/**
 * Joins one call's line to an AI session and keeps it going when the provider fails. Order of use:
 * `open` while the phone rings, `attach` at the answer, `end` when the call is over for any reason.
 */
export class Conversation {
  readonly #dependencies: ConversationDependencies;
  readonly #exchange: Exchange;
  readonly #link: SessionLink;
  readonly #desk: ToolDesk;
  readonly #limits: Limits;
  readonly #deadAir: DeadAir;
  readonly #gate: QuietGate;
  readonly #phrases: Phrases;
  readonly #transfer: Transfer;
  #format: AudioFormat = 'pcmu';
  #phase: 'running' | 'transferring' | 'closing' | 'ended' = 'running';
  #isHeld = false;
  /** Keys are on their way to the caller. */
  #isPressing = false;
  /** No provider is left. */
  #isExhausted = false;
  /** The goodbye that the session was told to say and has not begun. */
  #farewell: string | undefined;
  /** A phrase of our own is being synthesised. */
  #isPhraseDue = false;

  constructor(dependencies: ConversationDependencies) {
    const { agent, clock, onEvent } = dependencies;
    this.#dependencies = dependencies;
    this.#exchange = new Exchange({
      ...dependencies,
      onToolCall: (call) => this.#toolCalled(call),
      onCallerActive: () => this.#limits.callerActive(),
      onUseless: (code) => this.#link.giveUp(code),
      onChange: () => this.#refresh(),
    });
    this.#link = new SessionLink({
      ...dependencies,
      options: () => this.#options(),
      onEvent: (event) => this.#onSessionEvent(event),
      onOpened: (session, opened) => this.#opened(session, opened),
      onLost: (loss) => this.#lost(loss),
      onExhausted: () => this.#exhausted(),
    });
    this.#desk = new ToolDesk({
      tools: agent.tools,
      clock,
      keyPrefix: keyPrefixOf(dependencies.random),
      transcript: this.#exchange.transcript,
      http: (call) => callHttpTool(call, { clock }),
      transfer: (target) => this.#announceTransfer(target),
      sendDigits: (digits) => dependencies.control.sendDigits(digits),
      onHangUp: () => this.#beginClosing({ result: 'completed', reason: 'agent-hung-up' }),
      onAnswer: (callId, text) => this.#toolAnswered(callId, text),
      onEvent,
    });
    this.#limits = this.#limitsOf(agent);
    this.#deadAir = new DeadAir(clock, (wait) => this.#waitingTooLong(wait));
    this.#gate = new QuietGate(clock);
    this.#phrases = new Phrases(dependencies);
    this.#transfer = new Transfer(clock, dependencies.control);
  }

  /**
   * Opens the first provider that works and asks for the greeting, whose audio waits for `attach`.
   * Rejects with a ConnectorError (the last provider's, or CALL_GONE after `end`) when none does; if
   * the call is attached all the same, the caller hears the apology and `control.hangUp` follows.
   */
  async open(format: AudioFormat): Promise<void> {
    if (this.ended) throw new ConnectorError('CALL_GONE', 'the call ended');
    this.#format = format;
    this.#exchange.format = format;
    try {
      await this.#link.open();
    } catch (error) {
      this.#isExhausted = true;
      if (!this.ended && this.#exchange.isAttached) this.#apologise();
      throw error;
    }
  }

  /** Joins the answered call, once. May come before `open` has resolved: the caller's words wait. */
  attach(line: Line): LineListener {
    if (!this.ended) {
      this.#exchange.attach(line);
      this.#limits.start();
      if (this.#isExhausted) this.#apologise();
      this.#refresh();
    }
    return {
      onAudio: (audio) => this.#exchange.onAudio(audio),
      onDigit: (digit) => this.#onDigit(digit),
      onPlayed: () => this.#onPlayed(),
    };
  }

  /** While held, the limits stand still, nothing is prompted and the caller's audio is dropped. */
  hold(isHeld: boolean): void {
    if (this.ended) return;
    this.#isHeld = isHeld;
    this.#withhold();
    this.#refresh();
  }

  /** While keys are sent to the caller the line is not quiet: nothing is prompted, no hang-up cuts them off. */
  pressing(isPressing: boolean): void {
    if (this.ended) return;
    this.#isPressing = isPressing;
    this.#refresh();
  }

  /** The call is over: closes the session, cancels timers and tools. Idempotent; safe during `open`. */
  end(termination: Termination): void {
    if (this.ended) return;
    this.#phase = 'ended';
    this.#exchange.end();
    this.#desk.close();
    this.#link.close();
    this.#limits.stop();
    this.#deadAir.stop();
    this.#gate.cancel();
    this.#phrases.stop();
    this.#transfer.stop();
    this.#dependencies.onEvent({ type: 'ended', termination });
  }

  /** What was said so far, in order; also after the end. */
  transcript(): readonly Turn[] {
    return this.#exchange.transcript.turns();
  }

  get ended(): boolean {
    return this.#phase === 'ended';
  }

  get #isAllSaid(): boolean {
    return this.#exchange.isSilent && !this.#isPhraseDue && !this.#isPressing;
  }

  get #isLineQuiet(): boolean {
    return this.#exchange.isLineQuiet && !this.#isPressing;
  }

  /** Brings everything that depends on the state of things in line with it. */
  #refresh(): void {
    if (this.ended) return;
    this.#gate.check(this.#isAllSaid);
    // The gate may have ended the call.
    if (this.ended) return;
    const isRunning = this.#phase === 'running' && !this.#isHeld;
    const isBusy = this.#desk.isBusy;
    this.#exchange.settleDebts(isRunning && !isBusy);
    const isTalking = isRunning && this.#exchange.isAttached;
    const isQuiet = this.#exchange.isSilent && this.#isLineQuiet;
    this.#limits.setQuiet(isTalking && isQuiet && !isBusy && this.#link.session !== undefined);
    this.#deadAir.update(isTalking ? this.#wait() : undefined, this.#isLineQuiet);
  }

  /** On hold, in a transfer and after the goodbye nobody listens. */
  #withhold(): void {
    const isWithheld = this.#isHeld || this.#phase !== 'running';
    this.#exchange.withhold(isWithheld);
    this.#limits.hold(isWithheld);
  }

  #onPlayed(): void {
    if (this.ended) return;
    this.#exchange.onPlayed();
    this.#refresh();
  }

  #onDigit(digit: string): void {
    if (this.ended) return;
    this.#exchange.onDigit(digit, this.#phase === 'running');
    this.#refresh();
  }

  // The session.

  #options(): SessionOptions {
    const { instructions, tools } = this.#dependencies.agent;
    const history = this.#exchange.history();
    return { format: this.#format, instructions, tools: specsOf(tools), history };
  }

  #opened(session: Session, opened: Opened): void {
    this.#dependencies.onEvent({ type: 'session-opened', ...opened });
    const { greeting } = this.#dependencies.agent;
    const isGreetingDue = this.#phase === 'running' && !this.#exchange.hasGreeted;
    this.#exchange.connect(session, isGreetingDue ? greeting : undefined);
    this.#refresh();
  }

  #lost({ provider, code, isAttempt }: Loss): void {
    const { log, onEvent } = this.#dependencies;
    log.warn({ provider, code, isAttempt }, 'provider lost');
    onEvent({ type: 'provider-lost', provider, code });
    if (isAttempt) return;
    this.#exchange.disconnect(this.#desk.isBusy);
    this.#desk.sessionLost();
    if (this.#phase === 'closing') {
      this.#link.close();
      if (this.#farewell !== undefined) this.#sayOwn(this.#farewell, 0);
    }
    this.#refresh();
  }

  #onSessionEvent(event: Exclude<SessionEvent, { type: 'lost' }>): void {
    if (event.type === 'reply-started') this.#farewell = undefined;
    if (this.#exchange.onSessionEvent(event)) this.#refresh();
  }

  #toolCalled(call: ToolCall): void {
    if (this.#phase === 'running') this.#desk.call(call);
  }

  #toolAnswered(callId: string, text: string): void {
    this.#exchange.addToolResult(callId, text);
    this.#refresh();
  }

  // Silence, and who is to blame for it.

  #limitsOf(agent: Agent): Limits {
    const { afterSeconds, attempts, prompt, goodbye } = agent.noInput;
    return new Limits({
      clock: this.#dependencies.clock,
      noInputAfter: afterSeconds * 1000,
      attempts,
      maxDuration: agent.maxDurationSeconds * 1000,
      onPrompt: () => {
        this.#exchange.say(prompt);
        this.#refresh();
      },
      onGoodbye: () => this.#close(goodbye, { result: 'completed', reason: 'no-input' }),
      onMaxDuration: () =>
        this.#close(maxDurationPhrase, { result: 'completed', reason: 'max-duration' }),
    });
  }

  #wait(): Wait | undefined {
    if (!this.#link.session) return 'gap';
    return this.#desk.isBusy ? 'tool' : undefined;
  }

  #waitingTooLong(wait: Wait): void {
    this.#phrases.speak(waitingPhrase, this.#format, (audio) => {
      const isStillDue = this.#phase === 'running' && this.#wait() && this.#exchange.isLineQuiet;
      // A tool is waited for in silence when there is no voice: a beep would sound like a fault.
      if (!isStillDue || (!audio && wait === 'tool')) return;
      if (wait === 'gap') this.#exchange.oweReply();
      this.#playOwn(audio, { text: waitingPhrase, beeps: 1 });
      this.#refresh();
    });
  }

  #exhausted(): void {
    this.#isExhausted = true;
    if (this.#phase !== 'running') return;
    if (this.#exchange.isAttached) this.#apologise();
    else this.#hangUp(providerFailed);
  }

  #apologise(): void {
    this.#beginClosing(providerFailed);
    this.#sayOwn(this.#dependencies.agent.apology, 3);
  }

  /** Speaks without a session; without a voice, `beeps` beeps. */
  #sayOwn(text: string, beeps: number): void {
    this.#farewell = undefined;
    this.#isPhraseDue = true;
    this.#phrases.speak(text, this.#format, (audio) => {
      this.#isPhraseDue = false;
      this.#playOwn(audio, { text, beeps });
      this.#refresh();
    });
  }

  #playOwn(audio: Buffer | undefined, of: { text: string; beeps: number }): void {
    if (audio) this.#exchange.playOwn(audio, of.text);
    else if (of.beeps > 0) this.#exchange.playOwn(tone(this.#format, of.beeps), '');
  }

  // The end.

  /** Says goodbye, in the voice of the session if there is one, and hangs up. */
  #close(farewell: string, termination: Termination): void {
    if (this.#phase !== 'running') return;
    this.#exchange.silence();
    this.#beginClosing(termination);
    if (this.#link.session) {
      this.#farewell = farewell;
      this.#exchange.say(farewell);
    } else {
      this.#sayOwn(farewell, 0);
    }
    this.#refresh();
  }

  /** From here on nobody cuts in, and the call ends when all is said. */
  #beginClosing(termination: Termination): void {
    this.#phase = 'closing';
    this.#exchange.setMode('protected');
    this.#withhold();
    this.#gate.wait(farewellTimeout, () => this.#hangUp(termination));
  }

  #hangUp(termination: Termination): void {
    this.end(termination);
    this.#dependencies.control.hangUp(termination);
  }

  /** What the model is saying is heard to its end; then nothing more, and the transfer. */
  #announceTransfer(target: TransferTarget): Promise<TransferOutcome> {
    if (this.#phase !== 'running' || !this.#exchange.isAttached)
      return Promise.resolve({ outcome: 'failed', status: 491, reason: 'Request Pending' });
    this.#phase = 'transferring';
    this.#exchange.setMode('protected');
    this.#withhold();
    return new Promise((resolve) => {
      this.#gate.wait(announcementTimeout, () => {
        this.#exchange.setMode('muted');
        this.#transfer.run(target, (outcome) => {
          this.#transferred(outcome);
          resolve(outcome);
        });
      });
    });
  }

  #transferred(outcome: TransferOutcome): void {
    if (outcome.outcome === 'completed') {
      this.#hangUp({ result: 'transferred', reason: 'transferred' });
      return;
    }
    this.#phase = 'running';
    this.#exchange.setMode('open');
    this.#withhold();
    if (this.#isExhausted) this.#apologise();
    this.#refresh();
  }
}

/** 128 random bits in hexadecimal. */
function keyPrefixOf(random: () => number): string {
  return Array.from({ length: 16 }, () =>
    Math.floor(random() * 256)
      .toString(16)
      .padStart(2, '0'),
  ).join('');
}

export type { Speaker } from './phrases.ts';
