import { ConnectorError } from '../../src/base/errors.ts';
import type {
  Draft,
  Headers,
  Incoming,
  Received,
  Reply,
  Response,
  Sent,
  Signalling,
} from '../../src/calls/signalling.ts';

/** A request as the SIP server would deliver it; header names in lower case. */
export function received(over: Partial<Received> & { headers?: Headers } = {}): Received {
  const headers = over.headers ?? {};
  return {
    method: 'INVITE',
    uri: 'sip:pizza@127.0.0.1',
    dialog: '',
    source: 'network',
    sourceAddress: '127.0.0.4',
    body: '',
    header: (name) => headers[name.toLowerCase()],
    ...over,
  };
}

/** An incoming request whose answers are kept. */
export class FakeIncoming implements Incoming {
  readonly request: Received;
  readonly responses: Response[] = [];
  /** Set to have the server refuse the next answer. */
  isGone = false;
  #cancelled: () => void = () => undefined;

  constructor(over: Parameters<typeof received>[0] = {}) {
    this.request = received(over);
  }

  readonly respond = (response: Response): Promise<string> => {
    if (this.isGone) return Promise.reject(new ConnectorError('CALL_GONE', 'no transaction'));
    this.responses.push(response);
    return Promise.resolve(this.request.dialog);
  };

  readonly onCancelled = (listener: () => void): void => {
    this.#cancelled = listener;
  };

  cancel(): void {
    this.isGone = true;
    this.#cancelled();
  }

  get statuses(): number[] {
    return this.responses.map(({ status }) => status);
  }
}

export interface FakeRequest {
  readonly draft: Draft;
  isCancelled: boolean;
  acknowledged: number;
  reply(status: number, over?: { reason?: string; headers?: Headers; body?: string }): void;
}

/** A SIP server that sends nothing and lets a test play the peer. */
export class FakeSignalling implements Signalling {
  readonly addresses = ['udp/127.0.0.1:5060'];
  readonly sent: FakeRequest[] = [];
  isClosed = false;

  send(draft: Draft, onReply: (reply: Reply) => void): Promise<Sent> {
    const request: FakeRequest = {
      draft,
      isCancelled: false,
      acknowledged: 0,
      reply: (status, { reason = '', headers = {}, body = '' } = {}) => {
        onReply({
          status,
          reason,
          dialog: 'out-1;from-tag=ours',
          body,
          header: (name) => headers[name.toLowerCase()],
          acknowledge: () => {
            request.acknowledged += 1;
          },
        });
      },
    };
    this.sent.push(request);
    const own: Headers = {
      'call-id': 'out-1',
      from: '<sip:agent@localhost>;tag=ours',
      cseq: `7 ${draft.method}`,
    };
    return Promise.resolve({
      uri: draft.uri ?? 'sip:caller@127.0.0.4:5070',
      header: (name) => own[name.toLowerCase()],
      cancel: () => {
        request.isCancelled = true;
      },
    });
  }

  /** The request sent last. */
  get last(): FakeRequest {
    const last = this.sent.at(-1);
    if (!last) throw new Error('nothing was sent');
    return last;
  }

  get methods(): string[] {
    return this.sent.map(({ draft }) => draft.method);
  }

  async close(): Promise<void> {
    this.isClosed = true;
  }
}
