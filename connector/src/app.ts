import { randomBytes, randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync } from 'node:fs';
import { AgentRole } from './agent/agent-role.ts';
import { createPhraseSpeaker, createProviders } from './app-providers.ts';
import { type Clock, systemClock } from './base/clock.ts';
import { CloseInOrder } from './base/close-in-order.ts';
import type { Log } from './base/log.ts';
import { type Calls, connectCalls } from './calls/calls.ts';
import type { Config } from './config.ts';
import { type SipServer, startSipServer } from './drachtio/start.ts';
import { createHttpServer, type Readiness } from './http/server.ts';
import { MediaPlane } from './media/media-plane.ts';
import { watchEventLoop } from './metrics/event-loop.ts';
import type { SipFigures } from './metrics/figures.ts';
import { Metrics } from './metrics/metrics.ts';
import type { InboundAuth } from './sip/core/gatekeeper.ts';
import type { TlsSettings } from './sip/transport/tls.ts';

const loopback = '127.0.0.1';

export interface App {
  /** Where SIP peers reach us, `udp/192.0.2.1:5060`. */
  readonly sipAddresses: readonly string[];
  /** Base URL of health, metrics and API. */
  readonly httpUrl: string;
  readonly activeCalls: () => number;
  /** What calls hold: all zero when none is up or just ending. */
  readonly held: () => {
    readonly calls: number;
    readonly dialogs: number;
    readonly endpoints: number;
  };
  /**
   * Takes no new calls and waits for those that are up, at most `timeout` ms, then ends them. A second
   * call with less time hurries. The app still has to be closed.
   */
  drain(timeout: number): Promise<void>;
  /** Ends what is up and frees everything. Idempotent. */
  close(): Promise<void>;
}

export interface AppOptions {
  readonly config: Config;
  readonly log: Log;
  readonly clock?: Clock;
}

/** Builds and starts everything a process of the standalone role has; rejects with all of it closed. */
export async function startApp({ config, log, clock = systemClock }: AppOptions): Promise<App> {
  const parts = new CloseInOrder(log);
  try {
    return await build({ config, log, clock, parts, secret: randomBytes(24).toString('hex') });
  } catch (error) {
    await parts.close();
    throw error;
  }
}

interface Building {
  readonly config: Config;
  readonly log: Log;
  readonly clock: Clock;
  readonly parts: CloseInOrder;
  /** Of the SIP server's socket, which only this process may use. */
  readonly secret: string;
}

async function build(building: Building): Promise<App> {
  const { config, log, parts } = building;
  // A folder that cannot be made is a fault of the configuration, and better known now.
  if (config.agent.recording) mkdirSync(config.agent.recording.folder, { recursive: true });
  const media = createMedia(building);
  const { role, metrics } = createRole(building, media);
  const gate = { isOpen: false };
  const http = createHttpServer({
    token: config.secrets.get('http.token'),
    calls: role,
    metrics: metrics.registry,
    readiness: () => readinessOf(role, { ...gate, maxCalls: config.agent.maxCalls }),
    log,
  });
  parts.add('http', () => http.close());
  const { address, port } = config.http.listen;
  const httpUrl = await http.listen({ host: address, port });
  const server = await startSip(building);
  metrics.connect(server);
  const calls = await connect(building, role, server);
  parts.add('calls', () => role.close());
  role.connect(calls);
  gate.isOpen = true;
  return {
    sipAddresses: calls.addresses,
    httpUrl,
    activeCalls: () => role.activeCalls,
    held: () => ({
      calls: role.activeCalls,
      dialogs: server.load().dialogs,
      endpoints: media.stats().endpoints,
    }),
    drain: (timeout) => role.drain(timeout),
    close: () => parts.close(),
  };
}

function createMedia({ config, log, clock, parts }: Building): MediaPlane {
  const { first: min, last: max } = config.rtp.ports;
  const media = new MediaPlane({
    ...config.rtp,
    ports: { min, max },
    clock,
    random: Math.random,
    log,
  });
  parts.add('media', () => media.close());
  return media;
}

/** The agent, and the metrics that ask it and, once there is one, the SIP server. */
function createRole(building: Building, media: MediaPlane) {
  const { config, log, clock, parts } = building;
  const eventLoop = watchEventLoop();
  parts.add('event loop watch', () => eventLoop.close());
  let sip: SipServer | undefined;
  const registry: Metrics = new Metrics({
    eventLoop,
    activeCalls: () => role.activeCalls,
    rtp: () => ({ ...role.traffic(), portsFree: media.stats().availablePorts }),
    sip: () => sipFigures(sip),
  });
  const role: AgentRole = new AgentRole({
    agent: config.agent,
    providers: createProviders(building),
    speaker: createPhraseSpeaker(building),
    media,
    destinations: config.sip.destinations,
    clock,
    random: Math.random,
    newId: randomUUID,
    log,
    metrics: registry,
  });
  const connectServer = (server: SipServer) => {
    sip = server;
  };
  return { role, metrics: { registry, connect: connectServer } };
}

/** The SIP server in this process: without its media a call is worth nothing, so they live and die together. */
async function startSip({ config, log, clock, secret, parts }: Building): Promise<SipServer> {
  const server = await startSipServer({
    listen: config.sip.listen,
    drachtio: { address: loopback, port: 0, secret },
    ...tlsOf(config),
    ...authOf(config),
    clock,
    log,
  });
  parts.add('SIP server', () => server.close());
  return server;
}

function tlsOf({ sip: { tls } }: Config): { tls?: TlsSettings } {
  if (!tls) return {};
  const { certFile, keyFile, caFile } = tls;
  return {
    tls: {
      cert: readFileSync(certFile),
      key: readFileSync(keyFile),
      ...(caFile === undefined ? {} : { ca: readFileSync(caFile) }),
    },
  };
}

function authOf({ sip: { auth }, secrets }: Config): { auth?: InboundAuth } {
  if (!auth) return {};
  const passwords = new Map(
    auth.users.map(({ name }, index) => [name, secrets.get(`sip.auth.users.${index}.password`)]),
  );
  return { auth: { realm: auth.realm, passwordOf: (name) => passwords.get(name) } };
}

async function connect(
  { config, log, clock, secret, parts }: Building,
  role: AgentRole,
  server: SipServer,
): Promise<Calls> {
  const calls = await connectCalls(
    {
      host: loopback,
      port: server.drachtioPort,
      secret,
      clock,
      log,
      sessionSeconds: config.sip.sessionExpiresSeconds,
      nonce: () => randomBytes(12).toString('hex'),
    },
    role,
  );
  parts.add('signalling', () => calls.close());
  return calls;
}

function sipFigures(server: SipServer | undefined): SipFigures {
  if (!server) return { messagesReceived: 0, messagesSent: 0, messagesMalformed: 0 };
  const { received, sent, malformed } = server.transportStats();
  return {
    messagesReceived: received.udp + received.tcp + received.tls,
    messagesSent: sent.udp + sent.tcp + sent.tls,
    messagesMalformed: malformed,
  };
}

function readinessOf(
  role: AgentRole,
  { isOpen, maxCalls }: { readonly isOpen: boolean; readonly maxCalls: number },
): Readiness {
  const { activeCalls } = role;
  if (role.isDraining) return { state: 'draining', reason: `${activeCalls} calls left` };
  if (!isOpen) return { state: 'starting', reason: 'SIP does not listen yet' };
  if (activeCalls >= maxCalls)
    return { state: 'full', reason: `${activeCalls} of ${maxCalls} calls` };
  return { state: 'ready' };
}
