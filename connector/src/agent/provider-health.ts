import type { Provider, Session, SessionEvent, SessionOptions } from '../ai/session.ts';
import type { Clock } from '../base/clock.ts';
import { ConnectorError, type ErrorCode, messageOf } from '../base/errors.ts';

/** What is known of a provider. `reason` is PascalCase as a condition's; no secrets in `message`. */
export interface Health {
  readonly isReady: boolean;
  readonly reason: string;
  readonly message: string;
}

const reasons: Partial<Record<ErrorCode, string>> = {
  PROVIDER_UNAVAILABLE: 'Unreachable',
  PROVIDER_CLOSED: 'Unreachable',
  PROVIDER_TIMEOUT: 'Timeout',
  PROVIDER_REFUSED: 'Refused',
  CONFIG_INVALID: 'InvalidConfiguration',
};

/** What errors with one code tell apart: words that providers' answers have in common. */
const details: readonly { readonly pattern: RegExp; readonly reason: string }[] = [
  { pattern: /insufficient_quota|\b402\b/, reason: 'QuotaExceeded' },
  { pattern: /invalid_api_key|authentication_error|\b401\b/, reason: 'Unauthorized' },
  { pattern: /permission_error|\b403\b/, reason: 'Forbidden' },
  { pattern: /model_not_found|\b404\b/, reason: 'NotFound' },
  { pattern: /rate_limit|\b429\b/, reason: 'RateLimited' },
  { pattern: /server_error|\b5\d\d\b/, reason: 'ServerError' },
];

/** Why a provider is not ready, by the error of an attempt to use it. */
export function reasonOf(code: ErrorCode, message: string): string {
  const detail = details.find(({ pattern }) => pattern.test(message));
  return detail?.reason ?? reasons[code] ?? 'Failed';
}

/** What ends every session alike, not just the one that reports it. */
const finalCodes: ReadonlySet<string> = new Set(['QuotaExceeded', 'Unauthorized', 'Forbidden']);

export interface WatchedOptions {
  readonly provider: Provider;
  readonly clock: Clock;
  /** Takes secrets out of a text. */
  readonly redact: (text: string) => string;
}

/** An opening that is given up before this is a caller who did not wait; later the provider is suspect. */
const patience = 3000;

/** A provider that knows how it fares: by its calls, and by being tried. */
export class WatchedProvider implements Provider {
  readonly name: string;
  readonly formats: Provider['formats'];
  readonly #options: WatchedOptions;
  #health: Health | undefined;
  #onChange: () => void = () => undefined;

  constructor(options: WatchedOptions) {
    this.#options = options;
    this.name = options.provider.name;
    this.formats = options.provider.formats;
  }

  /** Undefined as long as nobody has used it. */
  get health(): Health | undefined {
    return this.#health;
  }

  /** Is called whenever something was learned. */
  listen(onChange: () => void): void {
    this.#onChange = onChange;
  }

  async open(
    options: SessionOptions,
    onEvent: (event: SessionEvent) => void,
    signal: AbortSignal,
  ): Promise<Session> {
    const { provider, clock } = this.#options;
    const began = clock.now();
    const listen = (event: SessionEvent) => {
      this.#onEvent(event);
      onEvent(event);
    };
    try {
      const session = await provider.open(options, listen, signal);
      this.#learn({ isReady: true, reason: 'Ready', message: `${this.name} answers` });
      return session;
    } catch (error) {
      if (!signal.aborted) this.#failed(error);
      else if (clock.now() - began >= patience) this.#failed(slow);
      throw error;
    }
  }

  close(): Promise<void> {
    return this.#options.provider.close();
  }

  /** Opens a session and closes it at once. Never rejects; what comes of it is `health`. */
  async probe(signal: AbortSignal): Promise<void> {
    try {
      const session = await this.open(nothing, () => undefined, signal);
      session.close();
    } catch {
      // `open` has learned what there is to learn.
    }
  }

  #onEvent(event: SessionEvent): void {
    if (event.type !== 'lost' && event.type !== 'fault') return;
    const reason = reasonOf('PROVIDER_REFUSED', event.code);
    if (finalCodes.has(reason)) this.#learn(this.#unready(reason, event.code));
  }

  #failed(error: unknown): void {
    const code = error instanceof ConnectorError ? error.code : 'PROVIDER_UNAVAILABLE';
    const message = `${messageOf(error)}${causeOf(error)}`;
    this.#learn(this.#unready(reasonOf(code, message), message));
  }

  #unready(reason: string, text: string): Health {
    const named = text.startsWith(this.name) ? text : `${this.name}: ${text}`;
    return { isReady: false, reason, message: this.#options.redact(named) };
  }

  #learn(health: Health): void {
    this.#health = health;
    this.#onChange();
  }
}

const slow = new ConnectorError('PROVIDER_TIMEOUT', 'no session was opened in time');

const nothing: SessionOptions = { format: 'pcmu', instructions: '', tools: [], history: [] };

/** The system's code (`ENOTFOUND`) says more than that it cannot be reached. */
function causeOf(error: unknown): string {
  const cause: unknown = error instanceof Error ? error.cause : undefined;
  const code: unknown = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  return typeof code === 'string' ? `: ${code}` : '';
}

/** The first of them that works, and why those before it do not. */
export function reportOf(providers: readonly Pick<WatchedProvider, 'name' | 'health'>[]): Health {
  const healths = providers.map(({ name, health }) => health ?? starting(name));
  const index = healths.findIndex(({ isReady }) => isReady);
  const failed = healths.slice(0, index < 0 ? healths.length : index);
  const messages = failed.map(({ message }) => message);
  const [first] = failed;
  const working = healths[index];
  if (working && !first) return working;
  if (working)
    return {
      isReady: true,
      reason: 'Fallback',
      message: [working.message, ...messages].join('; '),
    };
  const reason = first?.reason ?? 'Starting';
  return { isReady: false, reason, message: messages.join('; ') };
}

function starting(name: string): Health {
  return { isReady: false, reason: 'Starting', message: `${name} is being tried` };
}
