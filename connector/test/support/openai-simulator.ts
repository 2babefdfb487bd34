import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import { type Clock, systemClock } from '../../src/base/clock.ts';
import { type AudioFormat, bytesPerMillisecondOf, silenceOf } from '../../src/media/format.ts';
import type { Dialect } from './openai-simulator-event.ts';
import { type Behaviour, SimulatedSession } from './openai-simulator-session.ts';

/**
 * The Realtime API on loopback, GA or beta, as far as a voice connector meets it: turn detection on
 * the audio received, replies in bursts, cancels, truncation, tools, errors. Its events have the
 * SDK's types, and a test drives it with the SDK's own client.
 */
export interface SimulatorOptions extends Partial<Behaviour> {
  readonly port?: number;
  /** Answer of the HTTP server instead of the upgrade. */
  readonly refuse?: { readonly status: number; readonly code?: string };
  /** Wait before `session.created`, ms; Infinity: it never comes. */
  readonly openDelay?: number;
  /** Key that is asked for; any when absent. */
  readonly apiKey?: string;
  readonly clock?: Clock;
  /** PEM; the server then speaks TLS. */
  readonly tls?: { readonly cert: string; readonly key: string };
}

export class OpenAiSimulator {
  readonly sessions: SimulatedSession[] = [];
  /** Headers and path of each upgrade that was asked for. */
  readonly upgrades: IncomingMessage[] = [];
  readonly behaviour: Behaviour;
  readonly #options: SimulatorOptions;
  readonly #server: Server;
  readonly #sockets = new WebSocketServer({ noServer: true, autoPong: false });
  readonly #clock: Clock;

  private constructor(options: SimulatorOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.behaviour = { ...usual, ...options };
    this.#server = options.tls === undefined ? createServer() : createTlsServer(options.tls);
    this.#server.on('request', (_, response) => response.writeHead(404).end());
    this.#server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) =>
      this.#onUpgrade(request, socket, head),
    );
  }

  static async start(options: SimulatorOptions = {}): Promise<OpenAiSimulator> {
    const simulator = new OpenAiSimulator(options);
    simulator.#server.listen(options.port ?? 0, '127.0.0.1');
    await once(simulator.#server, 'listening');
    return simulator;
  }

  /** Base URL for the connector's `url`. */
  get url(): string {
    // A listening TCP server has an address of this kind.
    const { port } = this.#server.address() as AddressInfo;
    return `${this.#options.tls === undefined ? 'ws' : 'wss'}://127.0.0.1:${port}/v1`;
  }

  /** The session opened last. */
  get session(): SimulatedSession {
    const session = this.sessions.at(-1);
    if (session === undefined) throw new Error('no session was opened');
    return session;
  }

  async close(): Promise<void> {
    for (const client of this.#sockets.clients) client.terminate();
    this.#sockets.close();
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #onUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    this.upgrades.push(request);
    const refusal = this.#refusalOf(request);
    if (refusal !== undefined) {
      const body = JSON.stringify({ error: { code: refusal.code, message: 'Simulated.' } });
      const status = `HTTP/1.1 ${refusal.status} Refused\r\nContent-Length: ${body.length}\r\n`;
      socket.end(`${status}Content-Type: application/json\r\nConnection: close\r\n\r\n${body}`);
      return;
    }
    this.#sockets.handleUpgrade(request, socket, head, (client) => {
      const session = new SimulatedSession(client, dialectOf(request), {
        behaviour: this.behaviour,
        clock: this.#clock,
      });
      this.sessions.push(session);
      const { openDelay = 0 } = this.#options;
      if (openDelay === 0) session.greet();
      else if (Number.isFinite(openDelay)) this.#clock.after(openDelay, () => session.greet());
    });
  }

  #refusalOf(request: IncomingMessage): { status: number; code?: string } | undefined {
    const { refuse, apiKey } = this.#options;
    if (refuse !== undefined) return refuse;
    const path = new URL(request.url ?? '', 'ws://x');
    if (path.pathname !== '/v1/realtime' || !path.searchParams.has('model')) return { status: 404 };
    return apiKey === undefined || request.headers.authorization === `Bearer ${apiKey}`
      ? undefined
      : { status: 401, code: 'invalid_api_key' };
  }
}

function dialectOf(request: IncomingMessage): Dialect {
  return request.headers['openai-beta'] === 'realtime=v1' ? 'beta' : 'ga';
}

const usual: Behaviour = {
  hear: (turn) => `Sentence ${turn}.`,
  reply: (turn, law) => {
    const text = turn.kind === 'speech' ? `You said: ${turn.transcript}` : 'As you wish.';
    return { text, audio: toneFor(text, law) };
  },
  speed: 10,
  thinkTime: 0,
  lateDeltas: 0,
  isEcho: false,
  isFrozen: false,
};

/** A tone as long as the text would be spoken, 60 ms a letter. */
export function toneFor(text: string, law: AudioFormat): Buffer {
  return tone(text.length * 60, law);
}

/** `milliseconds` of a loud 1 kHz tone (ITU-T G.711, table 5 and 6: the digital milliwatt). */
export function tone(milliseconds: number, law: AudioFormat): Buffer {
  if (law === 'pcm24k') return linearTone(milliseconds);
  const period =
    law === 'pcmu'
      ? [0x1e, 0x0b, 0x0b, 0x1e, 0x9e, 0x8b, 0x8b, 0x9e]
      : [0x34, 0x21, 0x21, 0x34, 0xb4, 0xa1, 0xa1, 0xb4];
  return Buffer.alloc(milliseconds * 8, Buffer.from(period));
}

/** 1 kHz of 24 kHz samples, as loud. */
function linearTone(milliseconds: number): Buffer {
  const period = Buffer.alloc(48);
  for (let n = 0; n < 24; n++)
    period.writeInt16LE(Math.round(22_000 * Math.sin((2 * Math.PI * n) / 24)), 2 * n);
  return Buffer.alloc(milliseconds * bytesPerMillisecondOf('pcm24k'), period);
}

/** `milliseconds` of digital silence. */
export function silence(milliseconds: number, law: AudioFormat): Buffer {
  return Buffer.alloc(milliseconds * bytesPerMillisecondOf(law), silenceOf(law));
}
