import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import type { Clock } from '../base/clock.ts';
import { messageOf } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import type { Refusals } from '../sip/core/refusals.ts';
import type { UserAgent, UserAgentUser } from '../sip/user-agent.ts';
import type { Application } from './application.ts';
import { type ApplicationOrder, Connection, type ConnectionUser } from './connection.ts';
import { Execution } from './execution.ts';
import { defaultPatience, type Patience } from './node.ts';
import { Nodes } from './nodes.ts';
import { Proxy } from './proxy.ts';
import type { ProxyOrder } from './proxy-command.ts';
import type { Reply } from './reply.ts';
import { Switchboard } from './switchboard.ts';

/** Applications per server: a handful; more is a leak or an attack. */
const mostConnections = 64;

/** Clients take part of this for the protocol's version: at least v0.8.2 (`drachtio-protocol.md` 4.1). */
const version = 'v0.9.10-parley';

export interface DrachtioServerOptions {
  readonly address: string;
  /** 0: any free one. */
  readonly port: number;
  readonly secret: string;
  readonly clock: Clock;
  readonly log: Log;
  /** For applications that come back under a name of their own. */
  readonly patience?: Patience;
  /** Ids of messages and calls; UUIDs unless given. */
  readonly newId?: () => string;
}

/** The server end of the drachtio protocol: applications connect and drive a user agent. */
export class DrachtioServer implements ConnectionUser {
  readonly #options: DrachtioServerOptions & { readonly newId: () => string };
  readonly #switchboard: Switchboard;
  readonly #nodes: Nodes;
  readonly #proxy: Proxy;
  readonly #connections = new Set<Connection>();
  readonly #server: Server;
  #userAgent: UserAgent | undefined;
  #execution: Execution | undefined;

  constructor(options: DrachtioServerOptions) {
    this.#options = { newId: randomUUID, ...options };
    this.#proxy = new Proxy(this.#options);
    this.#switchboard = new Switchboard({
      clock: options.clock,
      log: options.log,
      onRouted: (forwarding) => this.#proxy.relay(forwarding),
      named: (name) => this.#nodes.named(name),
    });
    const { clock, log, patience = defaultPatience } = options;
    this.#nodes = new Nodes({ clock, log, patience, switchboard: this.#switchboard });
    this.#server = createServer((socket) => this.#onConnection(socket));
    this.#server.maxConnections = mostConnections;
  }

  /** What the user agent delivers to. Requests that come before `start` get no answer. */
  get user(): UserAgentUser {
    return this.#switchboard;
  }

  /** What was answered because no application took it. */
  get refusals(): Refusals {
    return this.#switchboard.refusals;
  }

  /** Listens for applications. Resolves to the port; rejects when it cannot be bound. */
  async start(userAgent: UserAgent): Promise<number> {
    this.#userAgent = userAgent;
    this.#switchboard.connect(userAgent);
    this.#nodes.connect(userAgent);
    const { newId, log } = this.#options;
    this.#execution = new Execution({ userAgent, switchboard: this.#switchboard, log, newId });
    this.#server.listen(this.#options.port, this.#options.address);
    await once(this.#server, 'listening');
    this.#server.on('error', (error) => log.error({ error: error.message }, 'accepting failed'));
    const bound = this.#server.address();
    return typeof bound === 'object' && bound ? bound.port : this.#options.port;
  }

  /** Drops every application. The user agent stays open; dialogs are its own. */
  async close(): Promise<void> {
    this.#switchboard.close();
    this.#nodes.close();
    this.#proxy.close();
    for (const connection of this.#connections) connection.close();
    if (!this.#server.listening) return;
    const closed = once(this.#server, 'close');
    this.#server.close();
    await closed;
  }

  welcome(): Reply {
    return { kind: 'authenticated', version, points: this.#userAgent?.listenPoints ?? [] };
  }

  onAuthenticated(connection: Connection): void {
    this.#nodes.join(connection);
  }

  onOrder(connection: Connection, command: string, order: ApplicationOrder): void {
    const application = this.#nodes.sender(connection, command);
    switch (order.kind) {
      case 'route':
        this.#switchboard.registrations.add(order.verb, application);
        application.reply(command, { kind: 'ok' });
        break;
      case 'remove-route':
        this.#switchboard.registrations.remove(order.verb, application);
        application.reply(command, { kind: 'ok' });
        break;
      case 'proxy':
        this.#onProxy(application, command, order);
        break;
      case 'respond':
      case 'request':
      case 'request-in-dialog':
      case 'cancel':
        this.#execution?.run(application, command, order).catch((error: unknown) => {
          this.#options.log.error({ error: messageOf(error) }, 'command was not answered');
        });
    }
  }

  onClosed(connection: Connection): void {
    this.#options.log.info({}, 'application disconnected');
    if (!this.#nodes.leave(connection)) this.#switchboard.onGone(connection);
  }

  #onProxy(application: Application, id: string, order: ProxyOrder): void {
    if (!this.#userAgent) return;
    const isTaken = this.#proxy.run(this.#userAgent, application, { id, order });
    if (isTaken) this.#switchboard.ledger.settle(order.transaction);
  }

  #onConnection(socket: Socket): void {
    const connection = new Connection(socket, this.#options, this);
    this.#connections.add(connection);
    socket.once('close', () => this.#connections.delete(connection));
  }
}
