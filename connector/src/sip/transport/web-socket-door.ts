import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { Socket } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Timer } from '../../base/clock.ts';
import type { StreamContext } from './stream-listener.ts';
import type { ListenPoint, Remote } from './transport.ts';
import { WebSocketLink } from './web-socket-link.ts';

/** RFC 7118 §4.1. */
const subprotocol = 'sip';
/** Room for the headers of a handshake: cookies and tokens come with it. */
const maxHeaderSize = 16 * 1024;

/** Turns sockets of a listening point into WebSockets that speak SIP; what else comes gets an HTTP error. */
export class WebSocketDoor {
  readonly #context: StreamContext;
  readonly #point: ListenPoint;
  readonly #http: Server;
  readonly #webSockets: WebSocketServer;
  /** Sockets whose handshake is not done. */
  readonly #waiting = new Map<Socket, { readonly remote: Remote; readonly timer: Timer }>();

  constructor(context: StreamContext, point: ListenPoint) {
    this.#context = context;
    this.#point = point;
    const { message } = context.shell.limits;
    this.#webSockets = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      maxPayload: message.headBytes + message.bodyBytes,
      handleProtocols: () => subprotocol,
    });
    this.#http = createServer({ maxHeaderSize }, (_request, response) => {
      response.writeHead(426, { connection: 'close', upgrade: 'websocket' }).end();
    });
    this.#http.on('upgrade', (request, _socket, head) => this.#upgrade(request, head));
    this.#http.on('clientError', (_error, socket) => {
      context.shell.counters.handshakesFailed++;
      socket.destroy();
    });
  }

  /** Takes a socket (TLS done) that has a handshake's time to become a WebSocket. */
  admit(socket: Socket, remote: Remote): void {
    const { clock, limits, counters } = this.#context.shell;
    const timer = clock.after(limits.handshakeTimeout, () => {
      counters.handshakesFailed++;
      socket.destroy();
    });
    this.#waiting.set(socket, { remote, timer });
    socket.on('error', () => undefined);
    socket.once('close', () => this.#leave(socket));
    this.#http.emit('connection', socket);
  }

  close(): void {
    for (const socket of this.#waiting.keys()) socket.destroy();
    this.#http.close();
    this.#webSockets.close();
  }

  #upgrade(request: IncomingMessage, head: Buffer): void {
    const { socket } = request;
    const { counters } = this.#context.shell;
    const remote = this.#leave(socket);
    if (!remote) {
      socket.destroy();
      return;
    }
    if (!speaksSip(request)) {
      counters.handshakesFailed++;
      // A peer that keeps its half open would hold the socket.
      socket.once('finish', () => socket.destroy());
      socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
      return;
    }
    this.#webSockets.handleUpgrade(request, socket, head, (webSocket) =>
      this.#accept(webSocket, socket, remote),
    );
  }

  #accept(webSocket: WebSocket, socket: Socket, remote: Remote): void {
    const { shell, connections, flows } = this.#context;
    const opening = { remote, local: this.#point };
    const link = connections.adopt(
      opening,
      (path) => new WebSocketLink({ webSocket, socket, path, shell }),
    );
    if (link) void link.closed.then(() => flows.forget(link.path.remote.connection));
    else webSocket.terminate();
  }

  /** Ends the wait of a socket. */
  #leave(socket: Socket): Remote | undefined {
    const waiting = this.#waiting.get(socket);
    waiting?.timer.cancel();
    this.#waiting.delete(socket);
    return waiting?.remote;
  }
}

function speaksSip({ headers }: IncomingMessage): boolean {
  const offered = headers['sec-websocket-protocol'] ?? '';
  return offered.split(',').some((name) => name.trim().toLowerCase() === subprotocol);
}
