import { isIP } from 'node:net';
import { parseArgs } from 'node:util';
import type { LogLevel } from '../base/log.ts';
import { isProtocol, isSecure } from '../sip/transport/protocol.ts';
import type { ListenPoint } from '../sip/transport/transport.ts';
import { isLoopback } from './secret.ts';

/** Files are read again when they change. */
interface TlsFlags {
  readonly certFile: string;
  readonly keyFile: string;
  readonly caFile?: string;
  readonly clientCaFile?: string;
  readonly requireClientCertificate: boolean;
}

/** What the command line says; files are not read yet. */
export interface Flags {
  readonly listen: readonly ListenPoint[];
  readonly drachtio: { readonly address: string; readonly port: number };
  /** Where dialogs can be listed and ended; loopback. */
  readonly admin?: { readonly address: string; readonly port: number };
  readonly secretFile: string;
  /** Folder in memory where calls outlive this process. */
  readonly journal?: string;
  readonly tls?: TlsFlags;
  readonly logLevel: LogLevel;
}

export const usage = `sip-server --listen udp://192.0.2.1:5060 --secret-file /run/secrets/drachtio

  --listen URL         udp://, tcp://, tls://, ws:// or wss:// with an IP address and port; may be repeated
  --external-host H    address or name that peers are told instead of the bound address
  --drachtio HOST:PORT where applications connect (127.0.0.1:9022)
  --admin HOST:PORT    where dialogs can be listed and ended with that secret; loopback only
  --secret-file FILE   what applications must know
  --journal DIR        memory-backed folder that keeps calls over a restart of this process
  --tls-cert FILE      certificate with its chain, PEM; needed for tls:// and wss://
  --tls-key FILE       its key, PEM
  --tls-ca FILE        authorities to trust instead of the usual ones, PEM
  --tls-client-ca FILE authorities whose clients are asked to prove themselves, PEM
  --tls-require-client refuse clients without a certificate of these
  --log-level LEVEL    debug, info, warn, error or silent (info)
`;

const options = {
  listen: { type: 'string', multiple: true },
  'external-host': { type: 'string' },
  drachtio: { type: 'string', default: '127.0.0.1:9022' },
  admin: { type: 'string' },
  'secret-file': { type: 'string' },
  journal: { type: 'string' },
  'tls-cert': { type: 'string' },
  'tls-key': { type: 'string' },
  'tls-ca': { type: 'string' },
  'tls-client-ca': { type: 'string' },
  'tls-require-client': { type: 'boolean', default: false },
  'log-level': { type: 'string', default: 'info' },
  help: { type: 'boolean', default: false },
} as const;

const levels: readonly string[] = ['debug', 'info', 'warn', 'error', 'silent'];

/** A flag that cannot be used; the message names it and says what would do. */
export class FlagError extends Error {
  override readonly name = 'FlagError';
}

/** Reads the command line; `help` when that was asked for. Throws `FlagError`. */
export function parseFlags(args: readonly string[]): Flags | 'help' {
  const values = valuesOf(args);
  if (values.help) return 'help';
  const listen = listenPoints(values.listen ?? [], values['external-host']);
  const tls = tlsOf(values);
  if (!tls && listen.some((point) => isSecure(point.protocol))) {
    throw new FlagError(
      '--listen tls:// or wss:// needs a certificate: give --tls-cert and --tls-key',
    );
  }
  return {
    listen,
    drachtio: hostPort('--drachtio', values.drachtio),
    ...(values.admin !== undefined && { admin: adminOf(values.admin) }),
    secretFile: required('--secret-file', values['secret-file']),
    ...(values.journal !== undefined && { journal: values.journal }),
    ...(tls && { tls }),
    logLevel: levelOf(values['log-level']),
  };
}

function valuesOf(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options, strict: true }).values;
  } catch (error) {
    // Node names the flag and, where there is one, the way out.
    throw new FlagError(error instanceof Error ? error.message : 'the command line is malformed');
  }
}

function listenPoints(urls: readonly string[], externalHost: string | undefined): ListenPoint[] {
  if (urls.length === 0) {
    throw new FlagError('--listen is missing: give at least one, as udp://192.0.2.1:5060');
  }
  const points = urls.map(listenPoint);
  if (externalHost !== undefined) return points.map((point) => ({ ...point, externalHost }));
  if (points.some(({ address }) => address === '0.0.0.0' || address === '::')) {
    throw new FlagError(
      '--external-host is missing: peers cannot be told 0.0.0.0 or [::]; give the address they reach this server at',
    );
  }
  return points;
}

function listenPoint(url: string): ListenPoint {
  const [, protocol, rest = ''] = /^(udp|tcp|tls|ws|wss):\/\/(.+)$/.exec(url) ?? [];
  const where = parseHostPort(rest);
  if (isProtocol(protocol) && where && isIP(where.address) !== 0) return { protocol, ...where };
  throw new FlagError(
    `--listen ${url} is none: give udp://, tcp://, tls://, ws:// or wss:// with an IP address and port, as udp://192.0.2.1:5060`,
  );
}

function hostPort(flag: string, text: string): { address: string; port: number } {
  const where = parseHostPort(text);
  if (where) return where;
  throw new FlagError(`${flag} ${text} is none: give an address and port, as 127.0.0.1:9022`);
}

function adminOf(text: string): { address: string; port: number } {
  const where = hostPort('--admin', text);
  if (isLoopback(where.address)) return where;
  throw new FlagError(`--admin ${text} is not of this machine: give one as 127.0.0.1:9023`);
}

function parseHostPort(text: string): { address: string; port: number } | undefined {
  const [, host = '', digits] = /^(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]+):(\d{1,5})$/.exec(text) ?? [];
  const port = Number(digits);
  return port <= 65_535 ? { address: host.replace(/^\[|\]$/g, ''), port } : undefined;
}

function tlsOf(values: {
  'tls-cert'?: string;
  'tls-key'?: string;
  'tls-ca'?: string;
  'tls-client-ca'?: string;
  'tls-require-client': boolean;
}): TlsFlags | undefined {
  const { 'tls-cert': certFile, 'tls-key': keyFile, 'tls-ca': caFile } = values;
  const { 'tls-client-ca': clientCaFile, 'tls-require-client': requireClientCertificate } = values;
  const given = [certFile, keyFile, caFile, clientCaFile];
  if (given.every((file) => file === undefined) && !requireClientCertificate) return undefined;
  return {
    certFile: required('--tls-cert', certFile),
    keyFile: required('--tls-key', keyFile),
    ...(caFile !== undefined && { caFile }),
    ...(clientCaFile !== undefined && { clientCaFile }),
    ...(requireClientCertificate && { clientCaFile: required('--tls-client-ca', clientCaFile) }),
    requireClientCertificate,
  };
}

function required(flag: string, value: string | undefined): string {
  if (value) return value;
  throw new FlagError(`${flag} is missing: give the path of a file`);
}

function levelOf(text: string): LogLevel {
  if (isLevel(text)) return text;
  throw new FlagError(`--log-level ${text} is none: give one of ${levels.join(', ')}`);
}

function isLevel(text: string): text is LogLevel {
  return levels.includes(text);
}
