import type { Clock, Timer } from '../../base/clock.ts';
import { ConnectorError } from '../../base/errors.ts';
import type { Log } from '../../base/log.ts';
import { bytesPerMillisecondOf } from '../../media/format.ts';
import type { HistoryItem, Session, SessionEvent } from '../session.ts';
import { AudioAppends } from './audio-appends.ts';
import type { AudioDelta } from './audio-delta.ts';
import type { Codec, Settings } from './command.ts';
import type { Connection, ConnectionUser } from './connect.ts';
import { type Input, newExchange, step } from './exchange.ts';
import { closeVerdict, describe, openingError } from './fault.ts';
import { Keepalive } from './keepalive.ts';
import { readServerEvent } from './server-event.ts';
import type { Effect, Exchange } from './step.ts';

export interface SessionParts {
  readonly connect: (user: ConnectionUser) => Connection;
  readonly codec: Codec;
  readonly settings: Settings;
  readonly clock: Clock;
  readonly log: Log;
  readonly onEvent: (event: SessionEvent) => void;
}

/** How an opening went. */
export interface Opening {
  onReady(): void;
  onFailed(error: ConnectorError): void;
}

// 48 KiB of base64 and JSON are four seconds of speech. When so much waits and goes on waiting, the
// network has stopped, not hiccuped.
const backlogLimitBytes = 48 * 1024;
const backlogLimit = 4000;
// Words that waited for the session come all at once: ten seconds of them, and four as above.
const burstLimitBytes = 192 * 1024;
const goodbyeLimit = 2000;

/** One connection and the exchange over it: runs the machine's effects, and nothing else. */
export class OpenAiSession implements Session {
  readonly #parts: SessionParts;
  readonly #connection: Connection;
  readonly #keepalive: Keepalive;
  readonly #appends: AudioAppends;
  /** Bytes of the session's audio for one of G.711. */
  readonly #volume: number;
  readonly #inbox: Input[] = [];
  #exchange: Exchange;
  #opening: Opening | undefined;
  #phase: 'running' | 'over' = 'running';
  #isStepping = false;
  #isCongested = false;
  /** When little waited for the network last. */
  #flowedAt: number;
  #watch: Timer | undefined;
  /** When the watch ends, and when its timer runs: never later than that. */
  #watchEnd = Infinity;
  #watchDue = Infinity;
  #goodbye: Timer | undefined;

  constructor(parts: SessionParts, opening: Opening) {
    this.#parts = parts;
    this.#opening = opening;
    this.#flowedAt = parts.clock.now();
    const { history, format } = parts.settings.session;
    // Base64 of G.711 is what the limits are written for.
    this.#volume = bytesPerMillisecondOf(format) / bytesPerMillisecondOf('pcmu');
    this.#exchange = newExchange(history, format);
    this.#connection = parts.connect({
      onEvent: (event) => this.#onServerEvent(event),
      onAudio: (delta) => this.#onAudioDelta(delta),
      onUnreadable: () => this.#fault('unreadable_event'),
      onPong: () => this.#keepalive.alive(),
      onFailed: (error) => this.#fail(error),
      onClosed: (code) => this.#onClosed(code),
    });
    this.#keepalive = new Keepalive(parts.clock, {
      ping: () => this.#connection.ping(),
      onDead: () => this.#lose('ping_timeout', true),
    });
    this.#appends = new AudioAppends({
      clock: parts.clock,
      length: parts.settings.provider.appendMs,
      bytesPerMs: bytesPerMillisecondOf(format),
      send: (event) => {
        if (!this.#hasBacklog()) this.#connection.send(event);
      },
    });
  }

  appendAudio(audio: Buffer): void {
    if (this.#phase !== 'over') this.#appends.add(audio);
  }

  appendDigit(digit: string): void {
    this.#take({ type: 'digit', digit });
  }

  say(text: string): void {
    this.#take({ type: 'speak', say: text });
  }

  respond(): void {
    this.#take({ type: 'speak', say: undefined });
  }

  interrupt(heard: { readonly item: string; readonly milliseconds: number } | undefined): void {
    this.#take({ type: 'interrupt', heard });
  }

  addToolResult(callId: string, output: string): void {
    const item: HistoryItem = { kind: 'tool-result', callId, output };
    this.#take({ type: 'add-item', item });
  }

  close(): void {
    if (this.#phase === 'over') return;
    this.#appends.flush();
    this.#release();
    this.#connection.close();
    // A server that does not answer the goodbye keeps no socket of ours.
    this.#goodbye = this.#parts.clock.after(goodbyeLimit, () => this.#connection.terminate());
  }

  /** Gives up an opening; the promise of `open` is rejected with `error`. */
  abandon(error: ConnectorError): void {
    this.#fail(error);
    this.#connection.terminate();
  }

  /** Inputs that come while one is worked on (from `onEvent`) wait for their turn. */
  #take(input: Input): void {
    if (this.#phase === 'over') return;
    this.#inbox.push(input);
    if (this.#isStepping) return;
    this.#isStepping = true;
    for (let next = this.#inbox.shift(); next !== undefined; next = this.#inbox.shift()) {
      const [exchange, effects] = step(this.#exchange, next);
      this.#exchange = exchange;
      for (const effect of effects) this.#run(effect);
    }
    this.#isStepping = false;
  }

  #run(effect: Effect): void {
    const { codec, settings, log } = this.#parts;
    switch (effect.type) {
      case 'send':
        // What the caller said before it goes before it.
        this.#appends.flush();
        this.#connection.send(JSON.stringify(codec(effect.command, settings)));
        return;
      case 'emit':
        this.#emit(effect.event);
        return;
      case 'watch':
        this.#setWatch(effect.delay);
        return;
      case 'ready':
        this.#keepalive.start();
        this.#opening?.onReady();
        this.#opening = undefined;
        return;
      case 'refused':
        this.abandon(openingError(effect.error));
        return;
      case 'lost':
        this.#lose(effect.code, effect.retryable);
        return;
      case 'note':
        log.debug(
          { code: effect.error.code, pii: effect.error.message },
          'openai reported an error',
        );
    }
  }

  #onServerEvent(raw: object): void {
    if (this.#phase === 'over') return;
    this.#keepalive.alive();
    const event = readServerEvent(raw);
    if (event !== undefined) this.#take({ type: 'server', event });
  }

  #onAudioDelta({ response, item, delta }: AudioDelta): void {
    if (this.#phase === 'over') return;
    this.#keepalive.alive();
    const audio = Buffer.from(delta, 'base64');
    const event = { type: 'audio', response, item, contentIndex: 0, audio } as const;
    this.#take({ type: 'server', event });
  }

  #onClosed(code: number): void {
    this.#goodbye?.cancel();
    if (this.#phase === 'over') return;
    const { code: reason, retryable } = closeVerdict(code);
    if (this.#opening === undefined) this.#lose(reason, retryable);
    else
      this.#fail(
        new ConnectorError(
          retryable ? 'PROVIDER_UNAVAILABLE' : 'PROVIDER_REFUSED',
          describe(reason),
        ),
      );
  }

  /** The opening did not succeed. */
  #fail(error: ConnectorError): void {
    if (this.#phase === 'over') return;
    const opening = this.#opening;
    this.#release();
    opening?.onFailed(error);
  }

  #lose(code: string, retryable: boolean): void {
    if (this.#phase === 'over') return;
    this.#release();
    this.#connection.terminate();
    this.#parts.onEvent({ type: 'lost', code, message: describe(code), retryable });
  }

  #release(): void {
    this.#phase = 'over';
    this.#opening = undefined;
    this.#inbox.length = 0;
    this.#watch?.cancel();
    this.#appends.drop();
    this.#keepalive.stop();
  }

  /** Every delta moves the end of the watch, so a timer that comes too early only looks again. */
  #setWatch(delay: number | undefined): void {
    const end = delay === undefined ? Infinity : this.#parts.clock.now() + delay;
    this.#watchEnd = end;
    if (end >= this.#watchDue) return;
    this.#watch?.cancel();
    this.#armWatch(delay ?? 0);
  }

  #armWatch(delay: number): void {
    this.#watchDue = this.#parts.clock.now() + delay;
    this.#watch = this.#parts.clock.after(delay, () => {
      this.#watchDue = Infinity;
      const left = this.#watchEnd - this.#parts.clock.now();
      if (this.#phase === 'over' || left === Infinity) return;
      if (left > 0) this.#armWatch(left);
      else this.#take({ type: 'watch-ended' });
    });
  }

  /** Audio that cannot leave is dropped: late it would be worth nothing, and it must not pile up. */
  #hasBacklog(): boolean {
    const bytes = this.#connection.bufferedBytes / this.#volume;
    const now = this.#parts.clock.now();
    if (bytes < backlogLimitBytes / 2) {
      this.#isCongested = false;
      this.#flowedAt = now;
    } else if (!this.#isCongested && this.#hasStopped(bytes, now)) {
      this.#isCongested = true;
      this.#fault('backlog');
    }
    return this.#isCongested;
  }

  #hasStopped(bytes: number, now: number): boolean {
    if (bytes > burstLimitBytes) return true;
    return bytes > backlogLimitBytes && now - this.#flowedAt > backlogLimit;
  }

  #fault(code: string): void {
    this.#emit({ type: 'fault', code, message: describe(code) });
  }

  #emit(event: SessionEvent): void {
    if (this.#phase !== 'over') this.#parts.onEvent(event);
  }
}
