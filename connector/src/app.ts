import { randomBytes, randomUUID } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { AgentRole } from './agent/agent-role.ts';
import { AgentMaker } from './app-agents.ts';
import { checkParts } from './app-check.ts';
import { LiveConfig } from './app-live.ts';
import { checkAddress, checkPorts } from './app-ports.ts';
import { type ConfigSource, Reload } from './app-reload.ts';
import { sipFigures, startSip } from './app-sip.ts';
import type { ProviderWatches } from './app-watches.ts';
import { type Clock, systemClock } from './base/clock.ts';
import { CloseInOrder } from './base/close-in-order.ts';
import type { Log } from './base/log.ts';
import { type Calls, connectCalls } from './calls/calls.ts';
import { changesOf, fixedSettings } from './config/changes.ts';
import type { Config } from './config.ts';
import type { PodStatus } from './contract/pod.ts';
import type { SipServer } from './drachtio/start.ts';
import { createHttpServer, type Readiness } from './http/server.ts';
import { MediaPlane } from './media/media-plane.ts';
import { watchEventLoop } from './metrics/event-loop.ts';
import { Metrics } from './metrics/metrics.ts';
import type { OverrideOutcome } from './override/outcome.ts';

const loopback = '127.0.0.1';

export interface App {
  /** Where SIP peers reach us, `udp/192.0.2.1:5060`. */
  readonly sipAddresses: readonly string[];
  /** Base URL of health, metrics and API. */
  readonly httpUrl: string;
  readonly activeCalls: () => number;
  /** As `/v1/status` tells it. */
  readonly status: () => PodStatus;
  /** Time that a drain may take, ms. */
  readonly drainTimeout: () => number;
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
  /** Where `config` came from, to follow its changes; without it, nothing changes. */
  readonly source?: ConfigSource;
  /** Told of each configuration that is put to use later. */
  readonly onReload?: (config: Config) => void;
}

/** Builds and starts everything a process of the standalone role has; rejects with all of it closed. */
export async function startApp(options: AppOptions): Promise<App> {
  const { config, log, clock = systemClock } = options;
  const parts = new CloseInOrder(log);
  const live = new LiveConfig(config);
  const secret = randomBytes(24).toString('hex');
  try {
    return await build({ options, live, log, clock, parts, secret });
  } catch (error) {
    await parts.close();
    throw error;
  }
}

interface Building {
  readonly options: AppOptions;
  readonly live: LiveConfig;
  readonly log: Log;
  readonly clock: Clock;
  readonly parts: CloseInOrder;
  /** Of the SIP server's socket, which only this process may use. */
  readonly secret: string;
}

async function build(building: Building): Promise<App> {
  const { live, log, parts } = building;
  const { config } = live;
  makeFolders(config);
  await checkAddress(config.rtp);
  if (config.rtp.checkPorts) await checkPorts(config.rtp);
  const media = createMedia(building);
  const { role, metrics, watch, apply } = createRole(building, media);
  const reload = createReload(building, apply);
  const status = () => statusOf({ role, watch, live, reload });
  const gate = { isOpen: false, awaitsEngines: hasLocal(config) };
  const http = createHttpServer({
    token: live.token,
    calls: role,
    pod: { status, setDraining: (isDraining) => role.setDraining(isDraining) },
    metrics: metrics.registry,
    readiness: () => readinessOf(role, gate, watch),
    log,
  });
  parts.add('http', () => http.close());
  const { address, port } = config.http.listen;
  const httpUrl = await http.listen({ host: address, port });
  const server = await startServer(building);
  metrics.connect(server);
  const calls = await connect(building, role, server);
  parts.add('calls', () => role.close());
  role.connect(calls);
  gate.isOpen = true;
  reload?.start();
  return {
    sipAddresses: calls.addresses,
    httpUrl,
    activeCalls: () => role.activeCalls,
    status,
    drainTimeout: () => live.config.drain.timeoutSeconds * 1000,
    held: () => ({
      calls: role.activeCalls,
      dialogs: server.load().dialogs,
      endpoints: media.stats().endpoints,
    }),
    drain: (timeout) => role.drain(timeout),
    close: () => parts.close(),
  };
}

/** A folder that cannot be made is a fault of the configuration, and better known at once. */
function makeFolders({ agents }: Config): void {
  for (const { agent } of agents)
    if (agent.recording) mkdirSync(agent.recording.folder, { recursive: true });
}

function createMedia({ live, log, clock, parts }: Building): MediaPlane {
  const { rtp } = live.config;
  const { first: min, last: max } = rtp.ports;
  const media = new MediaPlane({
    ...rtp,
    ports: { min, max },
    clock,
    random: Math.random,
    log,
  });
  parts.add('media', () => media.close());
  return media;
}

/** The agent, the metrics that ask it and, once there is one, the SIP server; and how to change it. */
function createRole(building: Building, media: MediaPlane) {
  const { live, log, clock, parts } = building;
  const eventLoop = watchEventLoop();
  parts.add('event loop watch', () => eventLoop.close());
  let sip: SipServer | undefined;
  const registry: Metrics = new Metrics({
    eventLoop,
    activeCalls: () => role.activeCalls,
    rtp: () => ({ ...role.traffic(), portsFree: media.stats().availablePorts }),
    sip: () => sipFigures(sip),
  });
  const onOverride = (outcome: OverrideOutcome) => registry.overridden(outcome);
  const maker = new AgentMaker({ live, clock, log, parts, onOverride });
  const { watches: watch } = maker;
  const { roster, groups } = maker.make(live.config);
  const role: AgentRole = new AgentRole({
    roster,
    media,
    clock,
    random: Math.random,
    newId: randomUUID,
    log,
    metrics: registry,
  });
  watch.use(groups);
  const connectServer = (server: SipServer) => {
    sip = server;
  };
  const apply = (config: Config): void => {
    checkParts(config);
    makeFolders(config);
    const next = maker.make(config);
    live.use(config);
    role.use(next.roster);
    watch.use(next.groups);
  };
  return { role, watch, apply, metrics: { registry, connect: connectServer } };
}

function createReload(building: Building, apply: (config: Config) => void): Reload | undefined {
  const { options, clock, log, parts } = building;
  const { source, onReload } = options;
  if (!source) return undefined;
  const reload = new Reload({
    source,
    apply: (config) => {
      apply(config);
      onReload?.(config);
      return changesOf(options.config, config, fixedSettings);
    },
    clock,
    log,
  });
  parts.add('reload', () => reload.close());
  return reload;
}

async function startServer({ live, log, clock, secret, parts }: Building): Promise<SipServer> {
  const drachtio = { address: loopback, port: 0, secret };
  const server = await startSip({ live, drachtio, clock, log });
  parts.add('SIP server', () => server.close());
  return server;
}

async function connect(
  { live, log, clock, secret, parts }: Building,
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
      sessionSeconds: live.config.sip.sessionExpiresSeconds,
      credentialsOf: live.credentialsOf,
      nonce: () => randomBytes(12).toString('hex'),
    },
    role,
  );
  parts.add('signalling', () => calls.close());
  return calls;
}

/** Engines of our own are loaded for seconds; servers elsewhere do not make a pod wait. */
function hasLocal({ agents }: Config): boolean {
  return agents.some(({ agent }) => agent.providers.some((provider) => 'local' in provider));
}

interface Gate {
  readonly isOpen: boolean;
  /** At the start only: what a later configuration loads, calls wait for. */
  awaitsEngines: boolean;
}

function readinessOf(role: AgentRole, gate: Gate, watch: ProviderWatches): Readiness {
  const { activeCalls, maxCalls } = role;
  if (role.isDraining) return { state: 'draining', reason: `${activeCalls} calls left` };
  if (!gate.isOpen) return { state: 'starting', reason: 'SIP does not listen yet' };
  gate.awaitsEngines &&= watch.report.reason === 'Starting';
  if (gate.awaitsEngines) return { state: 'starting', reason: 'the local engines are loaded' };
  if (activeCalls >= maxCalls)
    return { state: 'full', reason: `${activeCalls} of ${maxCalls} calls` };
  return { state: 'ready' };
}

function statusOf(of: {
  readonly role: AgentRole;
  readonly watch: ProviderWatches;
  readonly live: LiveConfig;
  readonly reload: Reload | undefined;
}): PodStatus {
  const { role, watch, live, reload } = of;
  const problem = reload?.problem;
  return {
    activeCalls: role.activeCalls,
    isDraining: role.isDraining,
    epoch: role.drainEpoch,
    revision: live.config.revision,
    ...(problem === undefined ? {} : { configProblem: problem }),
    provider: watch.report,
  };
}
