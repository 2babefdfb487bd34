import type { Clock } from '../../src/base/clock.ts';
import { silentLog } from '../../src/base/log.ts';
import {
  createUserAgent,
  type RunningUserAgent,
  type UserAgentOptions,
} from '../../src/sip/create-user-agent.ts';
import type { Journal } from '../../src/sip/journal/journal.ts';
import type { Header } from '../../src/sip/message/message.ts';
import { addressOf } from '../../src/sip/message/uri.ts';
import { defaultTimers } from '../../src/sip/transaction/timers.ts';
import type { Remote } from '../../src/sip/transport/transport.ts';
import type {
  Forwarding,
  InboundRequest,
  InboundResponse,
  RequestDraft,
  ResponseDraft,
  Sent,
} from '../../src/sip/user-agent.ts';
import { seededRandom } from '../fixtures/sip/mutate.ts';
import { nameOf, type Wire } from './wire.ts';

export const sdp = Buffer.from('v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\n');
export const otherSdp = Buffer.from('v=0\r\no=- 2 2 IN IP4 192.0.2.1\r\ns=-\r\n');
const empty = Buffer.alloc(0);

/** A user agent with somebody at it who can be told what to do; everything that happens is noted. */
export class Phone {
  readonly agent: RunningUserAgent;
  /** `INVITE`, `200 INVITE`, `server BYE`, `ended`, as the user was told. */
  readonly told: string[] = [];
  readonly requests: InboundRequest[] = [];
  readonly responses: InboundResponse[] = [];
  readonly serverRequests: Omit<InboundRequest, 'transaction'>[] = [];
  readonly ended: string[] = [];
  readonly routed: Forwarding[] = [];
  /** Runs on each request; answers it, say. */
  onRequest: (request: InboundRequest) => void = () => undefined;
  onResponse: (response: InboundResponse) => void = () => undefined;

  constructor(
    wire: Wire,
    name: string,
    given: {
      clock: Clock;
      protocol?: 'udp' | 'tcp';
      externalHost?: string;
      seed?: number;
      options?: Partial<UserAgentOptions>;
      targets?: (host: string) => readonly Remote[];
      journal?: Journal;
    },
  ) {
    const { protocol = 'udp' } = given;
    const transport = wire.transport(name, {
      protocol,
      ...(given.externalHost !== undefined && { externalHost: given.externalHost }),
    });
    this.agent = createUserAgent({
      transport,
      resolve: async (uri) => ({
        kind: 'targets',
        targets: given.targets?.(uri.host) ?? [
          { protocol, address: addressOf(uri.host), port: uri.port ?? 5060 },
        ],
      }),
      clock: given.clock,
      random: seededRandom(given.seed ?? Number(name)),
      log: silentLog,
      ...(given.journal && { journal: given.journal }),
      options: {
        timers: defaultTimers,
        maxServerTransactions: 1000,
        maxDialogs: 1000,
        ...given.options,
      },
      user: {
        onRequest: (request) => this.#onRequest(request),
        onResponse: (response) => this.#onResponse(response),
        onServerRequest: (request) => {
          this.told.push(`server ${request.message.method}`);
          this.serverRequests.push(request);
        },
        onDialogEnded: (dialog) => {
          this.told.push('ended');
          this.ended.push(dialog);
        },
        onRouted: (forwarding) => {
          this.told.push(`routed ${forwarding.message.method}`);
          this.routed.push(forwarding);
        },
      },
    });
    wire.attach(transport, this.agent);
  }

  #onRequest(request: InboundRequest): void {
    this.told.push(request.message.method);
    this.requests.push(request);
    this.onRequest(request);
  }

  #onResponse(response: InboundResponse): void {
    this.told.push(nameOf(response.message));
    this.responses.push(response);
    this.onResponse(response);
  }

  /** What it was told since the last call. */
  take(): string[] {
    return this.told.splice(0);
  }

  /** The last request of that method. */
  last(method: string): InboundRequest {
    const found = this.requests.findLast((each) => each.message.method === method);
    if (!found) throw new Error(`no ${method} came`);
    return found;
  }

  invite(to: string, ...extra: string[]): Promise<Sent> {
    return this.agent.request(draft('INVITE', `sip:you@192.0.2.${to}`, { body: sdp, extra }));
  }

  send(method: string, to: string, ...extra: string[]): Promise<Sent> {
    return this.agent.request(draft(method, `sip:you@192.0.2.${to}`, { extra }));
  }

  /** Sends a request in a dialog. */
  within(dialog: string, method: string, given: { body?: Buffer; extra?: string[] } = {}) {
    return this.agent.requestInDialog(dialog, draft(method, 'sip:placeholder', given));
  }

  answer(
    request: InboundRequest,
    status: number,
    given: { body?: Buffer; extra?: string[] } = {},
  ): Promise<Sent> {
    return this.agent.respond(request.transaction, reply(status, given));
  }
}

export function draft(
  method: string,
  uri: string,
  { body = empty, extra = [] }: { body?: Buffer; extra?: readonly string[] } = {},
): RequestDraft {
  return { method, uri, headers: headersOf(extra, body), body };
}

export function reply(
  status: number,
  { body = empty, extra = [] }: { body?: Buffer; extra?: readonly string[] } = {},
): ResponseDraft {
  return { status, reason: `Reason ${status}`, headers: headersOf(extra, body), body };
}

function headersOf(lines: readonly string[], body: Buffer): Header[] {
  const type = body.length > 0 ? ['Content-Type: application/sdp'] : [];
  return [...lines, ...type].map((line) => {
    const colon = line.indexOf(':');
    return { name: line.slice(0, colon), value: line.slice(colon + 1).trim() };
  });
}
