import type { Clock } from '../../base/clock.ts';
import { ConnectorError } from '../../base/errors.ts';
import type { Log } from '../../base/log.ts';
import type { OpenAiOptions } from '../../contract/agent.ts';
import type { Provider, Session, SessionEvent, SessionOptions } from '../session.ts';
import { codecBeta } from './codec-beta.ts';
import { codecGa } from './codec-ga.ts';
import { type Connection, type ConnectionUser, connect } from './connect.ts';
import { OpenAiSession } from './session.ts';

export interface OpenAiProviderOptions {
  readonly options: OpenAiOptions;
  /** Empty for a local server that asks for none. */
  readonly apiKey: string;
  readonly clock: Clock;
  readonly log: Log;
}

// From dialling to `session.updated`; a caller has heard it ring that long.
const openLimit = 10_000;

/** OpenAI Realtime, or a server that speaks its protocol. */
export function createOpenAiProvider(parts: OpenAiProviderOptions): Provider {
  const sockets = new Sockets(parts);
  return {
    name: 'openai',
    formats: ['pcmu', 'pcma', 'pcm24k'],
    open: (options, onEvent, signal) => open(parts, sockets, { options, onEvent, signal }),
    close: () => sockets.close(),
  };
}

/** The connections of a provider, those of closed sessions included that still say goodbye. */
class Sockets {
  readonly #parts: OpenAiProviderOptions;
  readonly #open = new Map<Connection, Promise<void>>();

  constructor(parts: OpenAiProviderOptions) {
    this.#parts = parts;
  }

  connect(user: ConnectionUser): Connection {
    const { promise, resolve } = Promise.withResolvers<void>();
    const gone = () => {
      this.#open.delete(connection);
      resolve();
    };
    const connection = connect(this.#parts, {
      ...user,
      onFailed: (error) => {
        user.onFailed(error);
        gone();
      },
      onClosed: (code) => {
        user.onClosed(code);
        gone();
      },
    });
    this.#open.set(connection, promise);
    return connection;
  }

  /** Cuts them all; resolves when their sessions have heard of it. */
  async close(): Promise<void> {
    const ends = [...this.#open.values()];
    for (const connection of this.#open.keys()) connection.terminate();
    await Promise.all(ends);
  }
}

interface Order {
  readonly options: SessionOptions;
  readonly onEvent: (event: SessionEvent) => void;
  readonly signal: AbortSignal;
}

async function open(
  { options, clock, log }: OpenAiProviderOptions,
  sockets: Sockets,
  order: Order,
): Promise<Session> {
  const { signal } = order;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  if (signal.aborted) throw abandoned();
  const session = new OpenAiSession(
    {
      connect: (user) => sockets.connect(user),
      codec: options.dialect === 'beta' ? codecBeta : codecGa,
      settings: { provider: options, session: order.options },
      clock,
      log,
      onEvent: order.onEvent,
    },
    { onReady: resolve, onFailed: reject },
  );
  const onAbort = () => session.abandon(abandoned());
  signal.addEventListener('abort', onAbort, { once: true });
  const limit = clock.after(openLimit, () =>
    session.abandon(
      new ConnectorError('PROVIDER_TIMEOUT', `openai did not open a session in ${openLimit} ms`),
    ),
  );
  try {
    await promise;
    return session;
  } finally {
    limit.cancel();
    signal.removeEventListener('abort', onAbort);
  }
}

function abandoned(): ConnectorError {
  return new ConnectorError('PROVIDER_CLOSED', 'the opening of a session was given up');
}
