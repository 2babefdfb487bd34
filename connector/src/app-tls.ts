import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import type { Clock } from './base/clock.ts';
import { ConnectorError, messageOf } from './base/errors.ts';
import type { Log } from './base/log.ts';
import { FileWatch } from './config/file-watch.ts';
import type { SipServer } from './drachtio/start.ts';
import type { PeerTls, TlsProfiles, TlsSettings } from './sip/transport/tls.ts';

/** Where the certificates of SIP are kept, PEM. */
export interface TlsFiles {
  readonly own?: OwnFiles | undefined;
  readonly peers: readonly PeerFiles[];
}

interface Pair {
  readonly certFile: string;
  readonly keyFile: string;
}

interface OwnFiles extends Pair {
  readonly caFile?: string | undefined;
  readonly clientCaFile?: string | undefined;
  readonly requireClientCertificate: boolean;
}

interface PeerFiles {
  readonly hosts: readonly string[];
  readonly tls: {
    readonly [K in keyof (Pair & { caFile: string; serverName: string })]?: string | undefined;
  };
}

/**
 * Reads and tries them all. Throws a ConnectorError CONFIG_INVALID that names the setting, below `path`:
 * what OpenSSL says of a wrong file does not even tell which it is.
 */
export function readTlsFiles({ own, peers }: TlsFiles): TlsProfiles {
  return {
    ...(own && { own: readOwn(own) }),
    peers: peers.map((peer, at) => readPeer(peer, `sip.peers.${at}.tls`)),
  };
}

function readOwn(files: OwnFiles): TlsSettings {
  const path = 'sip.tls';
  const ca = readAuthorities(path, 'caFile', files.caFile);
  const clientCa = readAuthorities(path, 'clientCaFile', files.clientCaFile);
  return {
    ...readPair(path, files),
    ...(ca && { ca }),
    ...(clientCa && { clientCa }),
    requiresClientCertificate: files.requireClientCertificate,
  };
}

function readPeer({ hosts, tls }: PeerFiles, path: string): PeerTls {
  const { certFile, keyFile, caFile, serverName } = tls;
  const ca = readAuthorities(path, 'caFile', caFile);
  return {
    hosts,
    ...(certFile !== undefined &&
      keyFile !== undefined && { identity: readPair(path, { certFile, keyFile }) }),
    ...(ca && { ca }),
    ...(serverName !== undefined && { serverName }),
  };
}

/** Both together: a key of another certificate is refused here. */
function readPair(path: string, { certFile, keyFile }: Pair): { cert: Buffer; key: Buffer } {
  const cert = readPem(`${path}.certFile`, certFile);
  const key = readPem(`${path}.keyFile`, keyFile);
  check(`${path}.certFile`, { cert });
  check(`${path}.keyFile`, { cert, key });
  return { cert, key };
}

function readAuthorities(
  path: string,
  setting: string,
  file: string | undefined,
): Buffer | undefined {
  if (file === undefined) return undefined;
  const ca = readPem(`${path}.${setting}`, file);
  check(`${path}.${setting}`, { ca });
  return ca;
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
  const reason = `${setting}: ${messageOf(error)}`;
  return new ConnectorError('CONFIG_INVALID', reason, { cause: error });
}

export interface TlsReloadOptions {
  readonly files: TlsFiles;
  /** What was read at the start. */
  readonly first: TlsProfiles;
  readonly use: (profiles: TlsProfiles) => void;
  readonly clock: Clock;
  readonly log: Log;
}

/** Follows the certificate files. What cannot be used is refused, and what was before stays in use. */
class TlsReload {
  readonly #options: TlsReloadOptions;
  readonly #paths: readonly string[];
  readonly #watch: FileWatch;
  #last: string;

  constructor(options: TlsReloadOptions) {
    this.#options = options;
    this.#paths = pathsOf(options.files);
    this.#last = fingerprintOf(options.first);
    this.#watch = new FileWatch({ clock: options.clock, onEvent: () => this.#check() });
  }

  start(): void {
    if (this.#paths.length > 0) this.#check();
  }

  /** Idempotent. */
  close(): void {
    this.#watch.close();
  }

  #check(): void {
    // Watched before they are read, so that no change falls between.
    this.#watch.follow(this.#paths);
    const { files, use, log } = this.#options;
    try {
      const profiles = readTlsFiles(files);
      const fingerprint = fingerprintOf(profiles);
      if (fingerprint === this.#last) return;
      this.#last = fingerprint;
      use(profiles);
      log.info({}, 'the changed certificates are in use');
    } catch (error) {
      const problem = messageOf(error);
      // Files are looked at again and again; one that stays broken is told once.
      if (problem === this.#last) return;
      this.#last = problem;
      log.error({ problem }, 'the changed certificates are refused');
    }
  }
}

/** A SIP server whose certificates follow their files until it is closed. */
export function withTlsReload(
  server: SipServer,
  options: Omit<TlsReloadOptions, 'use'>,
): SipServer {
  const reload = new TlsReload({ ...options, use: (profiles) => server.useTls(profiles) });
  reload.start();
  return {
    ...server,
    close: () => {
      reload.close();
      return server.close();
    },
  };
}

function pathsOf({ own, peers }: TlsFiles): string[] {
  const all = [own, ...peers.map(({ tls }) => tls)].flatMap((files) =>
    files ? [files.certFile, files.keyFile, files.caFile] : [],
  );
  return [...all, own?.clientCaFile].filter((path) => path !== undefined);
}

function fingerprintOf(profiles: TlsProfiles): string {
  return createHash('sha256').update(JSON.stringify(profiles)).digest('hex');
}
