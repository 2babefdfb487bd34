import type { IncomingMessage } from 'node:http';
import { connect as connectTcp } from 'node:net';
import { OpenAIRealtimeWS } from 'openai/realtime/ws';
import type { ClientOptions } from 'ws';
import { ConnectorError } from '../../base/errors.ts';
import type { OpenAiOptions } from '../../contract/agent.ts';
import { type AudioDelta, readAudioDelta } from './audio-delta.ts';

/** A WebSocket to the server. Methods never throw. */
export interface Connection {
  /** Bytes that wait for the network. */
  readonly bufferedBytes: number;
  /** An event as JSON text; as bytes (UTF-8) it goes out in one write with its header. */
  send(event: string | Buffer): void;
  ping(): void;
  /** Says goodbye; the socket is gone when the server answers, or by `terminate`. */
  close(): void;
  terminate(): void;
}

/** What a connection reports; exactly one of `onFailed` and `onClosed` comes, once, as the last. */
export interface ConnectionUser {
  onEvent(event: object): void;
  /** An audio delta of the plain form: nearly all events are. */
  onAudio(delta: AudioDelta): void;
  /** A frame that is no event. */
  onUnreadable(): void;
  onPong(): void;
  /** It never opened. */
  onFailed(error: ConnectorError): void;
  /** It was open; `code` is the close code (RFC 6455 §7.4). */
  onClosed(code: number): void;
}

export interface ConnectOptions {
  readonly options: OpenAiOptions;
  readonly apiKey: string;
}

// An event with 15 MiB of audio is the largest the API knows.
const maxPayload = 16 * 1024 * 1024;

/** Connects, through the SDK's socket; returns at once. */
export function connect({ options, apiKey }: ConnectOptions, user: ConnectionUser): Connection {
  const client = { apiKey, baseURL: options.url };
  const realtime = new OpenAIRealtimeWS(
    { model: options.model, options: socketOptions(options) },
    client,
  );
  const { socket } = realtime;
  let isOpen = false;
  let isOver = false;
  const fail = (error: ConnectorError) => {
    if (isOver || isOpen) return;
    isOver = true;
    user.onFailed(error);
    socket.terminate();
  };
  realtime.on('event', (event) => user.onEvent(event));
  // Audio passes by the SDK's parser; whatever is not of the plain form goes through it.
  const parsers = socket.listeners('message');
  socket.removeAllListeners('message');
  socket.on('message', (data, isBinary) => {
    const delta = Buffer.isBuffer(data) ? readAudioDelta(data) : undefined;
    if (delta) user.onAudio(delta);
    else for (const parse of parsers) parse.call(socket, data, isBinary);
  });
  // The SDK reports API errors here again, and frames it could not read.
  realtime.on('error', (error) => {
    if (isOpen && error.error === undefined) user.onUnreadable();
  });
  socket.on('open', () => {
    isOpen = true;
  });
  socket.on('unexpected-response', (_, response) => void refusalOf(response).then(fail));
  socket.on('error', (cause) =>
    fail(new ConnectorError('PROVIDER_UNAVAILABLE', 'openai cannot be reached', { cause })),
  );
  socket.on('pong', () => user.onPong());
  socket.on('close', (code) => {
    fail(new ConnectorError('PROVIDER_UNAVAILABLE', 'openai closed the connection at once'));
    if (isOver) return;
    isOver = true;
    user.onClosed(code);
  });
  const whenOpen = (task: () => void) => {
    if (socket.readyState === socket.OPEN) task();
  };
  return {
    get bufferedBytes() {
      return socket.bufferedAmount;
    },
    send: (event) => whenOpen(() => socket.send(event, { binary: false })),
    ping: () => whenOpen(() => socket.ping()),
    close: () => socket.close(1000),
    terminate: () => socket.terminate(),
  };
}

function socketOptions({ url, dialect }: OpenAiOptions): ClientOptions {
  const headers = {
    'User-Agent': 'parley',
    ...(dialect === 'beta' ? { 'OpenAI-Beta': 'realtime=v1' } : {}),
  };
  const { protocol, hostname, port } = new URL(url);
  if (protocol === 'wss:') return { headers, maxPayload };
  // The SDK makes every URL wss; for a local server the TLS layer is left out underneath it.
  const host = hostname.replace(/^\[|\]$/g, '');
  const plain = () => connectTcp({ host, port: Number(port) || 80 });
  return { headers, maxPayload, createConnection: plain };
}

const bodyLimitBytes = 4096;

/** What an HTTP answer instead of the upgrade means. */
async function refusalOf(response: IncomingMessage): Promise<ConnectorError> {
  const status = response.statusCode ?? 0;
  const code = await errorCodeOf(response);
  const isPassing = (status === 429 && code !== 'insufficient_quota') || status >= 500;
  return new ConnectorError(
    isPassing ? 'PROVIDER_UNAVAILABLE' : 'PROVIDER_REFUSED',
    `openai answered HTTP ${status}${code === undefined ? '' : ` ${code}`}`,
  );
}

/** `error.code` of a JSON body, if it looks like one. */
async function errorCodeOf(response: IncomingMessage): Promise<string | undefined> {
  try {
    let text = '';
    for await (const chunk of response) {
      text += String(chunk);
      if (text.length > bodyLimitBytes) break;
    }
    return /"code"\s*:\s*"([a-z0-9_]{1,64})"/.exec(text)?.[1];
  } catch {
    return undefined;
  }
}
