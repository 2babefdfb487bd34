import { randomBytes } from 'node:crypto';
import type { LiveConfig } from './app-live.ts';
import { readTlsFiles, type TlsFiles, withTlsReload } from './app-tls.ts';
import type { Clock } from './base/clock.ts';
import type { Log } from './base/log.ts';
import { Authorisation } from './calls/authorisation.ts';
import type { Config } from './config.ts';
import { type SipServer, startSipServer } from './drachtio/start.ts';
import type { SipFigures } from './metrics/figures.ts';
import type { Authorise } from './sip/core/core.ts';
import type { InboundAuth } from './sip/core/gatekeeper.ts';
import { headers } from './sip/message/headers.ts';
import type { TlsProfiles } from './sip/transport/tls.ts';

export interface SipParts {
  readonly live: LiveConfig;
  /** Where this process's application finds the SIP server, and what both must know. */
  readonly drachtio: { readonly address: string; readonly port: number; readonly secret: string };
  readonly clock: Clock;
  readonly log: Log;
}

/** The SIP server in this process: without its media a call is worth nothing, so they live and die together. */
export async function startSip({ live, drachtio, clock, log }: SipParts): Promise<SipServer> {
  const { config, accepts, trusts, scanners } = live;
  const first = readTls(config);
  const server = await startSipServer({
    listen: config.sip.listen,
    drachtio,
    ...(first.own && { tls: first.own }),
    tlsPeers: first.peers,
    ...authOf(live),
    authorise: () => authoriseBy(live),
    accepts,
    trusts,
    scanners,
    clock,
    log,
  });
  return withTlsReload(server, { files: tlsFilesOf(config), first, clock, log });
}

/** Certificates for SIP. Throws a ConnectorError CONFIG_INVALID that names the setting. */
export function readTls(config: Config): TlsProfiles {
  return readTlsFiles(tlsFilesOf(config));
}

function tlsFilesOf({ sip: { tls, peers } }: Config): TlsFiles {
  return { own: tls, peers };
}

function authOf({ config, passwordOf }: LiveConfig): { auth?: InboundAuth } {
  const { auth } = config.sip;
  if (!auth) return {};
  return { auth: { realm: auth.realm, algorithms: auth.algorithms, passwordOf } };
}

function randomNonce(): string {
  return randomBytes(12).toString('hex');
}

/** Answers the challenges to one request of the SIP server's own. */
function authoriseBy({ credentialsOf }: LiveConfig): ReturnType<Authorise> {
  const authorisation = new Authorisation(credentialsOf, randomNonce);
  return (challenge, request) => {
    const { status } = challenge;
    const header = (name: string) => headers(challenge, name).join(', ');
    const given = authorisation.after({ status, header }, request);
    return given && Object.entries(given).map(([name, value]) => ({ name, value }));
  };
}

/** What metrics tell of the SIP server, all 0 before there is one. */
export function sipFigures(server: SipServer | undefined): SipFigures {
  if (!server) {
    return {
      messagesReceived: 0,
      messagesSent: 0,
      messagesMalformed: 0,
      strangers: 0,
      drops: {},
      refusals: {},
    };
  }
  const { received, sent, malformed } = server.transportStats();
  return {
    messagesReceived: sumOf(received),
    messagesSent: sumOf(sent),
    messagesMalformed: malformed,
    strangers: server.strangers(),
    drops: server.drops(),
    refusals: server.refusals(),
  };
}

function sumOf(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}
