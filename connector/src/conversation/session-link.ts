import type { Provider, Session, SessionEvent, SessionOptions } from '../ai/session.ts';
import { openInFormat } from '../ai/transcoded.ts';
import type { Clock, Timer } from '../base/clock.ts';
import { ConnectorError, messageOf } from '../base/errors.ts';
import type { FailoverState } from './failover.ts';
import { failed, initialFailover, nextInCall, nextWhileRinging } from './failover.ts';

/** A provider that has not opened by then is taken for unavailable. */
const openTimeout = 5000;
/** A caller who has waited this long for a session hears the apology. */
const recoveryTimeout = 20_000;
/** Before a second attempt in a row: 200 to 500 ms, so that calls do not retry in step. */
const pauseBase = 200;
const pauseSpread = 300;

export interface Opened {
  readonly provider: string;
  readonly took: number;
  /** Not the call's first session. */
  readonly isResumed: boolean;
}

export interface Loss {
  readonly provider: string;
  readonly code: string;
  /** It was not the session that failed but an attempt to open one. */
  readonly isAttempt: boolean;
}

export interface SessionLinkDependencies {
  readonly providers: readonly Provider[];
  readonly clock: Clock;
  readonly random: () => number;
  /** Asked for at each attempt. */
  readonly options: () => SessionOptions;
  readonly onEvent: (event: Exclude<SessionEvent, { type: 'lost' }>) => void;
  readonly onOpened: (session: Session, opened: Opened) => void;
  readonly onLost: (loss: Loss) => void;
  /** No provider is left to try in the call. */
  readonly onExhausted: () => void;
}

/** Holds the call's session: opens the first, and when it is lost the next, as `failover.ts` says. */
export class SessionLink {
  readonly #dependencies: SessionLinkDependencies;
  #failover: FailoverState;
  /** Events of earlier sessions and attempts are not listened to. */
  #epoch = 0;
  #session: Session | undefined;
  #abort: AbortController | undefined;
  #pause: { timer: Timer; resolve: () => void } | undefined;
  #isClosed = false;
  #hasOpened = false;

  constructor(dependencies: SessionLinkDependencies) {
    this.#dependencies = dependencies;
    this.#failover = initialFailover(dependencies.providers.length);
  }

  get session(): Session | undefined {
    return this.#session;
  }

  /** One attempt for each provider; rejects with the last one's ConnectorError, or CALL_GONE. */
  async open(): Promise<void> {
    for (;;) {
      const error = await this.#attempt(openTimeout);
      if (this.#isClosed) throw new ConnectorError('CALL_GONE', 'the call ended');
      if (!error) return;
      const next = nextWhileRinging(this.#failover);
      if (!next) throw error;
      this.#failover = next;
    }
  }

  /** The session does not answer any more: given up as if it had been lost. */
  giveUp(code: string): void {
    const session = this.#session;
    if (!session) return;
    this.#lose({ code, isRetryable: true });
    session.close();
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#epoch++;
    this.#abort?.abort();
    this.#pause?.timer.cancel();
    this.#pause?.resolve();
    this.#session?.close();
    this.#session = undefined;
  }

  #lose(of: { code: string; isRetryable: boolean }): void {
    this.#epoch++;
    this.#session = undefined;
    this.#fail({ ...of, isAttempt: false });
    if (!this.#isClosed) void this.#recover();
  }

  #fail(of: { code: string; isRetryable: boolean; isAttempt: boolean }): void {
    const { clock, onLost } = this.#dependencies;
    this.#failover = failed(this.#failover, { at: clock.now(), isRetryable: of.isRetryable });
    onLost({ provider: this.#provider().name, code: of.code, isAttempt: of.isAttempt });
  }

  /** Never rejects: `#attempt` does not, and the rest are our own callbacks. */
  async #recover(): Promise<void> {
    const { clock, onExhausted } = this.#dependencies;
    const deadline = clock.now() + recoveryTimeout;
    for (let attempt = 0; !this.#isClosed; attempt++) {
      if (attempt > 0) await this.#wait();
      if (this.#isClosed) return;
      const next = nextInCall(this.#failover, clock.now());
      const left = deadline - clock.now();
      if (!next || left <= 0) {
        onExhausted();
        return;
      }
      this.#failover = next;
      const error = await this.#attempt(Math.min(openTimeout, left));
      if (!error) return;
    }
  }

  #wait(): Promise<void> {
    const { clock, random } = this.#dependencies;
    return new Promise((resolve) => {
      const timer = clock.after(pauseBase + random() * pauseSpread, resolve);
      this.#pause = { timer, resolve };
    });
  }

  /** One attempt with the current provider; undefined when its session is open (or the call over). */
  async #attempt(timeout: number): Promise<ConnectorError | undefined> {
    const { clock, onEvent, onOpened } = this.#dependencies;
    const began = clock.now();
    const epoch = ++this.#epoch;
    let early: Extract<SessionEvent, { type: 'lost' }> | undefined;
    const listen = (event: SessionEvent): void => {
      if (epoch !== this.#epoch) return;
      if (event.type !== 'lost') onEvent(event);
      else if (this.#session) this.#lose({ code: event.code, isRetryable: event.retryable });
      else early = event;
    };
    const result = await this.#opened(listen, timeout);
    if (this.#isClosed) {
      if (!(result instanceof ConnectorError)) result.close();
      return undefined;
    }
    if (result instanceof ConnectorError) {
      this.#fail({ code: result.code, isRetryable: result.retryable, isAttempt: true });
      return result;
    }
    // The loss was reported between the opening and our hearing of it.
    if (early) {
      this.#fail({ code: early.code, isRetryable: early.retryable, isAttempt: true });
      return new ConnectorError('PROVIDER_CLOSED', early.message);
    }
    this.#session = result;
    const isResumed = this.#hasOpened;
    this.#hasOpened = true;
    onOpened(result, { provider: this.#provider().name, took: clock.now() - began, isResumed });
    return undefined;
  }

  async #opened(
    listen: (event: SessionEvent) => void,
    timeout: number,
  ): Promise<Session | ConnectorError> {
    const { clock, options } = this.#dependencies;
    const abort = new AbortController();
    this.#abort = abort;
    const { signal } = abort;
    const timer = clock.after(timeout, () => abort.abort());
    const open = async (): Promise<Session> => {
      const session = await openInFormat(this.#provider(), options(), {
        onEvent: listen,
        signal,
      });
      // It opened although it was told to stop: nobody wants this session.
      if (signal.aborted) session.close();
      return session;
    };
    try {
      return await Promise.race([open(), abortOf(signal)]);
    } catch (error) {
      return error instanceof ConnectorError
        ? error
        : new ConnectorError('PROVIDER_UNAVAILABLE', messageOf(error), { cause: error });
    } finally {
      timer.cancel();
      this.#abort = undefined;
    }
  }

  #provider(): Provider {
    const provider = this.#dependencies.providers[this.#failover.current];
    if (!provider) throw new ConnectorError('PROVIDER_UNAVAILABLE', 'no provider is configured');
    return provider;
  }
}

function abortOf(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    const error = new ConnectorError('PROVIDER_TIMEOUT', 'the provider did not open in time');
    signal.addEventListener('abort', () => reject(error), { once: true });
  });
}
