import { readFileSync } from 'node:fs';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import type { LiveConfig } from './app-live.ts';
import type { Clock } from './base/clock.ts';
import { ConnectorError, messageOf } from './base/errors.ts';
import type { Log } from './base/log.ts';
import type { Config } from './config.ts';
import { type SipServer, startSipServer } from './drachtio/start.ts';
import type { SipFigures } from './metrics/figures.ts';
import type { InboundAuth } from './sip/core/gatekeeper.ts';
import type { TlsSettings } from './sip/transport/tls.ts';

export interface SipParts {
  readonly live: LiveConfig;
  /** Where this process's application finds the SIP server, and what both must know. */
  readonly drachtio: { readonly address: string; readonly port: number; readonly secret: string };
  readonly clock: Clock;
  readonly log: Log;
}

/** The SIP server in this process: without its media a call is worth nothing, so they live and die together. */
export function startSip({ live, drachtio, clock, log }: SipParts): Promise<SipServer> {
  const { config, accepts, trusts, scanners } = live;
  return startSipServer({
    listen: config.sip.listen,
    drachtio,
    ...tlsOf(config),
    ...authOf(live),
    accepts,
    trusts,
    scanners,
    clock,
    log,
  });
}

function tlsOf(config: Config): { tls?: TlsSettings } {
  const tls = readTls(config);
  return tls ? { tls } : {};
}

/**
 * Our certificate, if there is one. Throws a ConnectorError CONFIG_INVALID that names the setting: what
 * OpenSSL says of a wrong file does not even tell which it is.
 */
export function readTls({ sip: { tls } }: Config): TlsSettings | undefined {
  if (!tls) return undefined;
  const cert = readPem('certFile', tls.certFile);
  const key = readPem('keyFile', tls.keyFile);
  check('certFile', { cert });
  check('keyFile', { cert, key });
  if (tls.caFile === undefined) return { cert, key };
  const ca = readPem('caFile', tls.caFile);
  check('caFile', { ca });
  return { cert, key, ca };
}

function readPem(setting: string, file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw unusable(setting, error);
  }
}

function check(setting: string, options: SecureContextOptions): void {
  try {
    createSecureContext(options);
  } catch (error) {
    throw unusable(setting, error);
  }
}

function unusable(setting: string, error: unknown): ConnectorError {
  const reason = `sip.tls.${setting}: ${messageOf(error)}`;
  return new ConnectorError('CONFIG_INVALID', reason, { cause: error });
}

function authOf({ config, passwordOf }: LiveConfig): { auth?: InboundAuth } {
  const { auth } = config.sip;
  if (!auth) return {};
  return { auth: { realm: auth.realm, algorithms: auth.algorithms, passwordOf } };
}

/** What metrics tell of the SIP server, all 0 before there is one. */
export function sipFigures(server: SipServer | undefined): SipFigures {
  if (!server) {
    return { messagesReceived: 0, messagesSent: 0, messagesMalformed: 0, strangers: 0, drops: {} };
  }
  const { received, sent, malformed } = server.transportStats();
  return {
    messagesReceived: received.udp + received.tcp + received.tls,
    messagesSent: sent.udp + sent.tcp + sent.tls,
    messagesMalformed: malformed,
    strangers: server.strangers(),
    drops: server.drops(),
  };
}
