import { isIPv6 } from 'node:net';
import type { Clock } from '../base/clock.ts';
import { CloseInOrder } from '../base/close-in-order.ts';
import { ConnectorError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import type { Authorise, Resolve } from '../sip/core/core.ts';
import type { InboundAuth } from '../sip/core/gatekeeper.ts';
import type { RefusalReason } from '../sip/core/refusals.ts';
import type { Accepts } from '../sip/core/strangers.ts';
import {
  createUserAgent,
  type RunningUserAgent,
  type UserAgentLoad,
} from '../sip/create-user-agent.ts';
import type { DropReason } from '../sip/guard/source-guard.ts';
import type { Journal } from '../sip/journal/journal.ts';
import type { ParseError } from '../sip/message/parse-error.ts';
import { type ResolveOptions, resolveUri } from '../sip/resolve/resolve.ts';
import { systemResolver } from '../sip/resolve/resolver.ts';
import { defaultTimers } from '../sip/transaction/timers.ts';
import { type SocketTransport, startTransport } from '../sip/transport/start-transport.ts';
import type { TransportStats } from '../sip/transport/stats.ts';
import type { PeerTls, TlsProfiles, TlsSettings } from '../sip/transport/tls.ts';
import type { ListenPoint, Received, Remote, TransportUser } from '../sip/transport/transport.ts';
import { defaultTransportLimits } from '../sip/transport/transport-limits.ts';
import { Admin } from './admin.ts';
import type { Patience } from './node.ts';
import { secretProblem } from './secret.ts';
import { createSecureRandom } from './secure-random.ts';
import { DrachtioServer } from './server.ts';

/** A name that takes longer to resolve counts as not there. */
const resolveTimeout = 4_000;
/** Far above what one process carries; what is beyond is refused with 503 and not kept. */
const mostServerTransactions = 64_000;
const mostDialogs = 20_000;

export interface SipServerOptions {
  /** Port 0 lets the system choose. */
  readonly listen: readonly ListenPoint[];
  /** Where applications connect, and what they must know. */
  readonly drachtio: { readonly address: string; readonly port: number; readonly secret: string };
  /** Where dialogs can be listed and ended by who knows the same secret; nowhere where absent. */
  readonly admin?: { readonly address: string; readonly port: number };
  /** Needed for tls and wss listen points. */
  readonly tls?: TlsSettings;
  /** Peers that are connected to in another way. */
  readonly tlsPeers?: readonly PeerTls[];
  /** Digest asked of everything new but OPTIONS; without it every source may call. */
  readonly auth?: InboundAuth;
  /** Credentials for refreshes and BYEs of the server's own; none where absent. */
  readonly authorise?: Authorise;
  /** By IP address: where new requests may come from; others get no answer. Everybody where absent. */
  readonly accepts?: Accepts;
  /** By IP address: sources that are never limited or blocked. None where absent. */
  readonly trusts?: Accepts;
  /** What scanners call themselves, in lower case; well-known ones where absent. */
  readonly scanners?: () => readonly string[];
  /** Where calls are kept for a later process; they end with this one where absent. */
  readonly journal?: Journal;
  /** How long applications with a name of their own are waited for. */
  readonly patience?: Patience;
  readonly clock: Clock;
  readonly log: Log;
}

export interface SipServer {
  readonly drachtioPort: number;
  readonly adminPort?: number;
  readonly listenPoints: readonly ListenPoint[];
  /** What is under way, for metrics. */
  load(): UserAgentLoad;
  /** What the sockets have seen since the start, for metrics. */
  transportStats(): TransportStats;
  /** Messages turned away since the start by `accepts`, for metrics. */
  strangers(): number;
  /** Requests since the start that were refused without an application, for metrics. */
  refusals(): Readonly<Partial<Record<RefusalReason, number>>>;
  /** Messages since the start that got no answer for what their source did, for metrics. */
  drops(): Readonly<Record<DropReason, number>>;
  /** Other certificates from now on; calls that are up go on over new connections. */
  useTls(tls: TlsProfiles): void;
  /** Applications first, then calls, then sockets. Idempotent; calls are not hung up. */
  close(): Promise<void>;
}

/**
 * Starts a SIP server that applications drive over the drachtio protocol. Rejects, everything closed
 * again, with CONFIG_INVALID for a secret that is none and with a TransportError for a port that is taken.
 */
export async function startSipServer(options: SipServerOptions): Promise<SipServer> {
  const { drachtio, clock, log } = options;
  const problem = secretProblem(drachtio.secret, drachtio.address);
  if (problem !== undefined) throw new ConnectorError('CONFIG_INVALID', problem);
  const { patience } = options;
  const applications = new DrachtioServer({
    ...drachtio,
    clock,
    log,
    ...(patience && { patience }),
  });
  const parts = new CloseInOrder(log);
  try {
    const { transport, userAgent } = await startUserAgent(options, applications);
    parts.add('transport', () => transport.close());
    parts.add('user agent', () => userAgent.close());
    parts.add('applications', () => applications.close());
    const listening = applications.start(userAgent);
    // In the same turn as the user agent was made: nothing of the network comes before.
    userAgent.restore();
    const drachtioPort = await listening;
    const adminPort = options.admin && (await startAdmin(options, userAgent, parts));
    return {
      drachtioPort,
      ...(adminPort !== undefined && { adminPort }),
      listenPoints: transport.listenPoints,
      load: () => userAgent.load(),
      transportStats: () => transport.stats(),
      strangers: () => userAgent.strangers(),
      refusals: () => userAgent.refusals.with(applications.refusals),
      drops: () => userAgent.drops(),
      useTls: (tls) => transport.useTls(tls),
      close: () => parts.close(),
    };
  } catch (error) {
    await parts.close();
    throw error;
  }
}

async function startAdmin(
  { admin, drachtio: { secret }, log }: SipServerOptions,
  userAgent: RunningUserAgent,
  parts: CloseInOrder,
): Promise<number | undefined> {
  if (!admin) return undefined;
  const listener = new Admin(
    { ...admin, secret, log },
    {
      list: (owner) =>
        userAgent.dialogs().filter((each) => owner === undefined || each.owner === owner),
      end: (id) => {
        const isThere = userAgent.dialogs().some((each) => each.id === id);
        if (isThere) userAgent.endDialog(id, 'Ended by administration');
        return isThere;
      },
    },
  );
  parts.add('admin', () => listener.close());
  return listener.start();
}

async function startUserAgent(
  {
    listen,
    tls,
    tlsPeers = [],
    auth,
    authorise,
    accepts,
    journal,
    trusts,
    scanners,
    clock,
    log,
  }: SipServerOptions,
  { user }: DrachtioServer,
): Promise<{ transport: SocketTransport; userAgent: RunningUserAgent }> {
  const above = new Above();
  const transport = await startTransport({
    listen,
    ...(tls && { tls }),
    tlsPeers,
    limits: defaultTransportLimits,
    clock,
    log,
    user: above,
  });
  const random = createSecureRandom();
  const userAgent = createUserAgent({
    transport,
    resolve: createResolve(transport, { clock, random }),
    clock,
    random,
    log,
    user,
    ...(journal && { journal }),
    options: {
      timers: defaultTimers,
      maxServerTransactions: mostServerTransactions,
      maxDialogs: mostDialogs,
      ...(auth && { auth }),
      ...(authorise && { authorise }),
      ...(accepts && { accepts }),
      ...(trusts && { trusts }),
      ...(scanners && { scanners }),
    },
  });
  above.connect(userAgent);
  return { transport, userAgent };
}

/** Finds addresses that can be sent to from the listen points there are, and WebSockets that are open. */
function createResolve(
  transport: SocketTransport,
  { clock, random }: { clock: Clock; random: () => number },
): Resolve {
  const points = transport.listenPoints;
  const options: ResolveOptions = {
    resolver: systemResolver,
    random,
    clock,
    timeout: resolveTimeout,
    protocols: [...new Set(points.map(({ protocol }) => protocol))],
    families: [...new Set(points.map(({ address }) => (isIPv6(address) ? 6 : 4)))],
  };
  return (uri) => {
    const flow = transport.flowTo(uri);
    return flow ? Promise.resolve({ kind: 'targets', targets: [flow] }) : resolveUri(uri, options);
  };
}

/** The layer above the transport, which has to be there before it. */
class Above implements TransportUser {
  #user: TransportUser | undefined;

  connect(user: TransportUser): void {
    this.#user = user;
  }

  onMessage(received: Received): void {
    this.#user?.onMessage(received);
  }

  onMalformed(error: ParseError, remote: Remote, local: ListenPoint): void {
    this.#user?.onMalformed?.(error, remote, local);
  }
}
