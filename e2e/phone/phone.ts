import { Call, type CallParts } from './call.ts';
import type { Credentials } from './digest.ts';
import type { Law } from './g711.ts';
import type { Headers } from './invitation.ts';
import { header, parameterOf } from './message.ts';
import { type IncomingRequest, Signalling, type Trace } from './signalling.ts';

export interface PhoneOptions {
  readonly user: string;
  /** 127.0.0.1 when absent. */
  readonly address?: string;
  /** Any when absent. */
  readonly port?: number;
  /** For those who ask for digest. */
  readonly password?: string;
  /** Best first; µ-law and A-law when absent. */
  readonly laws?: readonly Law[];
  /** Whether others may have us call somebody else (REFER); true when absent. */
  readonly isTransferable?: boolean;
  /** An incoming call: `ring`, `answer`, `reject`. Refused with 486 without it. */
  readonly onCall?: (call: Call) => void;
  readonly onTrace?: (trace: Trace) => void;
}

/** A telephone: SIP over UDP, G.711 over RTP, and a memory for all it heard. */
export class Phone {
  readonly #options: PhoneOptions;
  readonly #calls = new Set<Call>();
  readonly #signalling: Signalling;

  static async open(options: PhoneOptions): Promise<Phone> {
    const signalling = await Signalling.open({
      address: options.address ?? '127.0.0.1',
      port: options.port ?? 0,
      user: options.user,
      onTrace: options.onTrace ?? (() => undefined),
    });
    const phone = new Phone(options, signalling);
    signalling.listen((incoming) => phone.#onRequest(incoming));
    return phone;
  }

  private constructor(options: PhoneOptions, signalling: Signalling) {
    this.#options = options;
    this.#signalling = signalling;
  }

  /** Where others reach it. */
  get uri(): string {
    return this.#signalling.uri;
  }

  /** Those that are up or ringing. */
  get calls(): readonly Call[] {
    return [...this.#calls].filter((call) => !call.isEnded);
  }

  /** Calls somebody; the result rings, see `answered`. */
  async dial(uri: string, extra: Headers = []): Promise<Call> {
    const call = await this.#create();
    call.dial(uri, extra);
    return call;
  }

  /** Ends all calls, and the phone. */
  async close(): Promise<void> {
    await Promise.all([...this.#calls].map((call) => call.hangUp()));
    this.#signalling.close();
  }

  async #create(incoming?: IncomingRequest): Promise<Call> {
    const call = await Call.create(this.#parts(), incoming);
    this.#calls.add(call);
    return call;
  }

  #parts(): CallParts {
    const { address = '127.0.0.1', laws = ['pcmu', 'pcma'], user, password } = this.#options;
    const credentials: Credentials | undefined =
      password === undefined ? undefined : { user, password };
    return {
      signalling: this.#signalling,
      address,
      laws,
      credentials,
      dialForRefer: (to, referredBy) =>
        this.dial(to, referredBy === '' ? [] : [['Referred-By', referredBy]]),
      onReleased: (call) => this.#calls.delete(call),
    };
  }

  #onRequest(incoming: IncomingRequest): void {
    const { request, method } = incoming;
    const call = this.calls.find((one) => one.owns(request));
    const isRefused = method === 'REFER' && this.#options.isTransferable === false;
    if (isRefused) incoming.respond(603, { tag: 'phone' });
    else if (call) call.handle(incoming);
    else if (method === 'OPTIONS') incoming.respond(200, { tag: 'phone' });
    else if (method === 'INVITE' && parameterOf(header(request, 'To'), 'tag') === '')
      void this.#onInvite(incoming);
    else if (method !== 'ACK') incoming.respond(481, { tag: 'phone' });
  }

  async #onInvite(incoming: IncomingRequest): Promise<void> {
    const { onCall } = this.#options;
    if (!onCall) {
      incoming.respond(486, { tag: 'phone' });
      return;
    }
    incoming.respond(100);
    const call = await this.#create(incoming);
    onCall(call);
  }
}
