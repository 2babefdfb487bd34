import type { Clock } from '../base/clock.ts';
import { type Credentials, digestAnswer } from './digest.ts';
import type { Draft, Headers, Reply, Sent, Signalling } from './signalling.ts';

/** Timer F is 32 s (RFC 3261 §17.1.2.2), after which the server reports 408; a little more than that. */
const finalLimit = 34_000;

export interface SenderDependencies {
  readonly signalling: Signalling;
  readonly clock: Clock;
  /** Used when a request is challenged. */
  readonly credentials?: Credentials;
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

  /** As `Signalling.send`; a 401 or 407 is answered once where there are credentials, and not reported. */
  async send(draft: Draft, onReply: (reply: Reply) => void): Promise<Sent> {
    const { signalling, credentials } = this.#with;
    if (!credentials) return signalling.send(draft, onReply);
    const attempt: Attempt = { current: undefined, isCancelled: false };
    const first: Promise<Sent> = signalling.send(draft, (reply) => {
      if (reply.status !== 401 && reply.status !== 407) return onReply(reply);
      return void this.#retry({ attempt, first, draft, reply, onReply });
    });
    attempt.current = await first;
    return {
      uri: attempt.current.uri,
      header: (name) => attempt.current?.header(name),
      cancel: () => {
        attempt.isCancelled = true;
        attempt.current?.cancel();
      },
    };
  }

  async #retry(challenge: Challenge): Promise<void> {
    const { attempt, first, draft, reply, onReply } = challenge;
    try {
      const sent = await first;
      const headers = this.#authorisation(reply, { method: draft.method, uri: sent.uri });
      if (!headers || attempt.isCancelled) return onReply(reply);
      const again = {
        ...draft,
        uri: sent.uri,
        headers: {
          ...draft.headers,
          ...(draft.dialog === undefined ? continuation(sent) : {}),
          ...headers,
        },
      };
      attempt.current = await this.#with.signalling.send(again, onReply);
      // The wish to cancel came while the second request was on its way to the server.
      if (this.#isCancelled(attempt)) attempt.current.cancel();
    } catch {
      onReply(reply);
    }
  }

  #isCancelled(attempt: Attempt): boolean {
    return attempt.isCancelled;
  }

  #authorisation(reply: Reply, request: { method: string; uri: string }): Headers | undefined {
    const { credentials, nonce } = this.#with;
    const isProxy = reply.status === 407;
    const challenge = reply.header(isProxy ? 'proxy-authenticate' : 'www-authenticate');
    if (!credentials || challenge === undefined) return undefined;
    const value = digestAnswer(challenge, { ...request, credentials, clientNonce: nonce() });
    if (value === undefined) return undefined;
    return { [isProxy ? 'Proxy-Authorization' : 'Authorization']: value };
  }
}

interface Attempt {
  current: Sent | undefined;
  isCancelled: boolean;
}

interface Challenge {
  readonly attempt: Attempt;
  readonly first: Promise<Sent>;
  readonly draft: Draft;
  readonly reply: Reply;
  readonly onReply: (reply: Reply) => void;
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
