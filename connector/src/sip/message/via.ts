import { digitsOf } from './grammar.ts';
import { formatParams, type Params, param, parseParams, withParam } from './params.ts';
import { parseHostPort } from './uri.ts';

/** One Via value (RFC 3261 §20.42, RFC 3581). */
export interface Via {
  /** As written: UDP, TCP, TLS, SCTP, WS … */
  readonly transport: string;
  /** IPv6 addresses keep their brackets. */
  readonly host: string;
  readonly port?: number;
  readonly params: Params;
}

/** Start of branches that are unique transaction ids (§8.1.1.7). */
export const branchCookie = 'z9hG4bK';

export function parseVia(text: string): Via | undefined {
  const found =
    /^SIP\s*\/\s*2\.0\s*\/\s*([^\s/;,]+)\s+([^\s;,]+(?:\s*:\s*\d+)?)\s*((?:;[\s\S]*)?)$/i.exec(
      text.trim(),
    );
  if (!found) return undefined;
  const [, transport = '', sentBy = '', rest = ''] = found;
  const where = parseHostPort(sentBy);
  const params = parseParams(rest);
  return where && params && hasSoundParams(params) ? { transport, ...where, params } : undefined;
}

function hasSoundParams(params: Params): boolean {
  const rport = param(params, 'rport') ?? '';
  const ttl = param(params, 'ttl');
  return (
    (rport === '' || digitsOf(rport, 65535) !== undefined) &&
    (ttl === undefined || digitsOf(ttl, 255) !== undefined)
  );
}

export function formatVia(via: Via): string {
  const port = via.port === undefined ? '' : `:${via.port}`;
  return `SIP/2.0/${via.transport} ${via.host}${port}${formatParams(via.params)}`;
}

export function branchOf(via: Via): string | undefined {
  return param(via.params, 'branch');
}

/** True when the branch is a transaction id; the cookie alone is none (RFC 4475 §3.2.1). */
export function hasTransactionBranch(via: Via): boolean {
  const branch = branchOf(via) ?? '';
  return (
    branch.length > branchCookie.length &&
    branch.slice(0, branchCookie.length).toLowerCase() === branchCookie.toLowerCase()
  );
}

/** Adds `received` and `rport`: where the request really came from (RFC 3581 §4, rport forced). */
export function withSource(via: Via, address: string, port: number): Via {
  const received = withParam(via.params, 'received', address);
  return { ...via, params: withParam(received, 'rport', String(port)) };
}

/** Address and port a response goes to over UDP (§18.2.2, RFC 3581 §4), IPv6 without brackets. */
export function responseTarget(via: Via): { address: string; port: number } {
  const maddr = param(via.params, 'maddr');
  const received = param(via.params, 'received');
  const rport = digitsOf(param(via.params, 'rport') ?? '', 65535);
  const sentPort = via.port ?? (via.transport.toUpperCase() === 'TLS' ? 5061 : 5060);
  const address = (maddr || received || via.host).replace(/^\[|\]$/g, '');
  return { address, port: maddr ? sentPort : (rport ?? sentPort) };
}
