import type { ListenPoint } from '../../src/sip/transport/transport.ts';
import {
  type Forwarding,
  Refusal,
  type RequestDraft,
  type ResponseDraft,
  type Sent,
  type Trace,
  type UserAgent,
} from '../../src/sip/user-agent.ts';

export const trace: Trace = {
  source: 'network',
  sizeBytes: 300,
  protocol: 'udp',
  address: '192.0.2.7',
  port: 5070,
  time: Date.UTC(2026, 0, 1, 8, 0, 0),
};

/** Sends nothing: remembers what it was asked and says it was sent. */
export class ScriptedUserAgent implements UserAgent {
  readonly listenPoints: readonly ListenPoint[] = [
    { protocol: 'udp', address: '127.0.0.1', port: 5060, externalHost: '192.0.2.1' },
    { protocol: 'tcp', address: '127.0.0.1', port: 5060 },
  ];
  readonly asked: (RequestDraft | ResponseDraft)[] = [];
  #count = 0;

  respond(transaction: string, draft: ResponseDraft): Promise<Sent> {
    this.asked.push(draft);
    if (transaction === 'unknown') {
      return Promise.reject(new Refusal('Response not sent due to unknown transaction'));
    }
    return Promise.resolve(this.#sent(transaction, `SIP/2.0 ${draft.status} ${draft.reason}`));
  }

  request(draft: RequestDraft): Promise<Sent> {
    this.asked.push(draft);
    return Promise.resolve(this.#sent(`T${++this.#count}`, `${draft.method} ${draft.uri} SIP/2.0`));
  }

  requestInDialog(_dialog: string, draft: RequestDraft): Promise<Sent> {
    return this.request(draft);
  }

  cancel(): Promise<Sent> {
    return Promise.reject(new Refusal('unable to cancel unknown transaction id: T'));
  }

  forsake(): void {}

  endDialog(): void {}

  proxy(): Forwarding {
    throw new Refusal('unknown');
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #sent(transaction: string, startLine: string): Sent {
    return {
      transaction,
      dialog: '',
      text: Buffer.from(`${startLine}\r\n\r\n`),
      trace: { ...trace, source: 'application' },
    };
  }
}
