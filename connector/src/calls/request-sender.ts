import type { Clock } from '../base/clock.ts';
import { Authorisation } from './authorisation.ts';
import type { CredentialsOf } from './digest.ts';
import type { Draft, Headers, Reply, Sent, Signalling } from './signalling.ts';

/** Timer F is 32 s (RFC 3261 §17.1.2.2), after which the server reports 408; a little more than that. */
const finalLimit = 34_000;

export interface SenderDependencies {
  readonly signalling: Signalling;
  readonly clock: Clock;
  /** Asked when a request is challenged; without it, no challenge is answered. */
  readonly credentialsOf?: CredentialsOf | undefined;
  /** Client nonce for digests: random text. */
  readonly nonce: () => string;
}

/** Requests with their final response, digest challenges answered on the way. */
export class RequestSender {
  readonly #with: SenderDependencies;

  constructor(dependencies: SenderDependencies) {
    this.#with = dependencies;
  }

  /** The final response; undefined when nothing was sent or nothing came. Never rejects. */
  async requestFinal(draft: Draft): Promise<Reply | undefined> {
    const { clock } = this.#with;
    return new Promise((resolve) => {
      const limit = clock.after(finalLimit, () => resolve(undefined));
      const finish = (reply: Reply | undefined) => {
        limit.cancel();
        resolve(reply);
      };
      this.send(draft, (reply) => {
        if (reply.status >= 200) finish(reply);
      }).catch(() => finish(undefined));
    });
  }

  /** As `Signalling.send`; a 401 or 407 that there are credentials for is answered, and not reported. */
  async send(draft: Draft, onReply: (reply: Reply) => void): Promise<Sent> {
    const { signalling, credentialsOf, nonce } = this.#with;
    if (!credentialsOf) return signalling.send(draft, onReply);
    const attempt = new Attempt(
      { signalling, draft, onReply },
      new Authorisation(credentialsOf, nonce),
    );
    return attempt.start();
  }
}

interface Order {
  readonly signalling: Signalling;
  readonly draft: Draft;
  readonly onReply: (reply: Reply) => void;
}

/** One request, and its repetitions with credentials. */
class Attempt {
  readonly #order: Order;
  readonly #authorisation: Authorisation;
  #current: Sent | undefined;
  #isCancelled = false;

  constructor(order: Order, authorisation: Authorisation) {
    this.#order = order;
    this.#authorisation = authorisation;
  }

  async start(): Promise<Sent> {
    const sent = await this.#send(this.#order.draft);
    return {
      uri: sent.uri,
      header: (name) => this.#current?.header(name),
      cancel: () => {
        this.#isCancelled = true;
        this.#current?.cancel();
      },
    };
  }

  async #send(draft: Draft): Promise<Sent> {
    const { signalling, onReply } = this.#order;
    const departure: Promise<Sent> = signalling.send(draft, (reply) => {
      if (reply.status !== 401 && reply.status !== 407) return onReply(reply);
      return void this.#answer(departure, reply);
    });
    const sent = await departure;
    this.#current = sent;
    // The wish to cancel came while the request was on its way to the server.
    if (this.#isCancelled) sent.cancel();
    return sent;
  }

  async #answer(departure: Promise<Sent>, reply: Reply): Promise<void> {
    const { draft, onReply } = this.#order;
    try {
      const sent = await departure;
      const { method } = draft;
      const credentials = this.#authorisation.after(reply, { method, uri: sent.uri });
      if (!credentials || this.#isCancelled) return onReply(reply);
      const context = draft.dialog === undefined ? continuation(sent) : {};
      const headers = { ...draft.headers, ...context, ...credentials };
      await this.#send({ ...draft, uri: sent.uri, headers });
    } catch {
      onReply(reply);
    }
  }
}

/** §22.2: the same Call-ID and From, the next CSeq. */
function continuation(sent: Sent): Headers {
  const [number = '0', method = ''] = (sent.header('cseq') ?? '').split(/\s+/);
  return {
    'Call-ID': sent.header('call-id') ?? '',
    From: sent.header('from') ?? '',
    CSeq: `${Number(number) + 1} ${method}`,
  };
}
