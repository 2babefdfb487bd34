import { isIP } from 'node:net';
import type { Clock } from '../../base/clock.ts';
import { addressOf, type SipUri } from '../message/uri.ts';
import { isSecure, type Protocol } from '../transport/protocol.ts';
import type { Remote } from '../transport/transport.ts';
import { servicesOf } from './naptr.ts';
import { type Endpoint, type Plan, planOf, type Service } from './plan.ts';
import type { Resolver } from './resolver.ts';
import { orderSrv, type SrvRecord } from './srv-order.ts';

/** Servers to try, in order (RFC 3263 §4.3), or why there are none. Never a rejection. */
export type Resolution =
  | { readonly kind: 'targets'; readonly targets: readonly Remote[] }
  | {
      readonly kind: 'failed';
      /** UNSUPPORTED: no listen point for the protocol or address family that the URI asks for. */
      readonly code: 'NOT_FOUND' | 'TIMEOUT' | 'UNSUPPORTED' | 'DNS_FAILED';
    };

export interface ResolveOptions {
  readonly resolver: Resolver;
  /** In [0, 1); draws among servers of equal priority. */
  readonly random: () => number;
  readonly clock: Clock;
  /** For the whole resolution, in ms. */
  readonly timeout: number;
  /** Protocols that can be sent, most liked first. */
  readonly protocols: readonly Protocol[];
  /** Address families that can be sent, most liked first. */
  readonly families: readonly (4 | 6)[];
}

/** For NAPTR alone, in ms: where servers drop what they do not know, SRV still has its time. */
const pointersTimeout = 1_000;

/** More than this is not tried, whatever a DNS says. */
const mostTargets = 16;

/** Where a request for `uri` (a Request-URI or the topmost Route) is to be sent. */
export async function resolveUri(uri: SipUri, options: ResolveOptions): Promise<Resolution> {
  const plan = planOf(uri, options.protocols);
  if (plan.kind === 'unsupported') return { kind: 'failed', code: 'UNSUPPORTED' };
  if (plan.kind === 'address') return ofAddress(plan, uri, options);
  return withTimeout(ofName(plan, uri, options), options);
}

function ofAddress(
  { address, protocol, port }: Plan & { kind: 'address' },
  uri: SipUri,
  { families }: ResolveOptions,
): Resolution {
  if (!families.some((family) => family === isIP(address))) {
    return { kind: 'failed', code: 'UNSUPPORTED' };
  }
  return { kind: 'targets', targets: [remoteOf({ address, protocol, port }, uri)] };
}

/** RFC 5922 §4: over TLS the peer must prove the name of the URI, not that of the SRV record. */
function remoteOf(target: Endpoint & { address: string }, uri: SipUri): Remote {
  const { protocol, address, port } = target;
  const isNamed = isSecure(protocol) && isIP(addressOf(uri.host)) === 0;
  return { protocol, address, port, ...(isNamed && { serverName: uri.host.toLowerCase() }) };
}

async function ofName(
  plan: Plan & { kind: 'host' | 'services' },
  uri: SipUri,
  options: ResolveOptions,
): Promise<Resolution> {
  const failures: unknown[] = [];
  const lookUp = async <T>(query: Promise<readonly T[]>): Promise<readonly T[]> => {
    try {
      return await query;
    } catch (error) {
      failures.push(error);
      return [];
    }
  };
  const hosts = plan.kind === 'host' ? [plan] : await hostsOf(plan, lookUp, options);
  const found = await Promise.all(hosts.map((host) => addressesOf(host.name, lookUp, options)));
  const targets = hosts.flatMap((host, at) =>
    (found[at] ?? []).map((address) => remoteOf({ ...host, address }, uri)),
  );
  if (targets.length > 0) return { kind: 'targets', targets: targets.slice(0, mostTargets) };
  return { kind: 'failed', code: failures.length > 0 ? 'DNS_FAILED' : 'NOT_FOUND' };
}

type LookUp = <T>(query: Promise<readonly T[]>) => Promise<readonly T[]>;
type Host = Endpoint & { readonly name: string };

/**
 * §4.2: the first service that has records; without any, the host itself. A NAPTR that cannot be had is
 * none: SRV may still be known.
 */
async function hostsOf(
  plan: Plan & { kind: 'services' },
  lookUp: LookUp,
  { resolver, random, clock }: ResolveOptions,
): Promise<readonly Host[]> {
  const pointers = plan.open.length > 0 ? await orNone(resolver.pointers(plan.name), clock) : [];
  const named = servicesOf(pointers, plan.open);
  const queries = new Set(named.map(({ query }) => query));
  for (const service of [...named, ...plan.services.filter(({ query }) => !queries.has(query))]) {
    const records = await lookUp(resolver.services(service.query));
    if (records.length > 0) return hostsOfService(service, orderSrv(records, random));
  }
  return [{ name: plan.name, ...plan.otherwise }];
}

function orNone<T>(query: Promise<readonly T[]>, clock: Clock): Promise<readonly T[]> {
  return new Promise((resolve) => {
    const timer = clock.after(pointersTimeout, () => resolve([]));
    const settle = (found: readonly T[]): void => {
      timer.cancel();
      resolve(found);
    };
    query.then(settle, () => settle([]));
  });
}

function hostsOfService({ protocol }: Service, records: readonly SrvRecord[]): Host[] {
  return (
    records
      // RFC 2782: a target of "." says that the service is not offered.
      .filter((record) => record.name !== '.' && record.name !== '')
      .slice(0, mostTargets)
      .map(({ name, port }) => ({ protocol, name, port }))
  );
}

async function addressesOf(
  name: string,
  lookUp: LookUp,
  { resolver, families }: ResolveOptions,
): Promise<readonly string[]> {
  const found = await Promise.all(
    families.map((family) => lookUp(resolver.addresses(name, family))),
  );
  return [...new Set(found.flat())];
}

function withTimeout(
  work: Promise<Resolution>,
  { clock, timeout }: ResolveOptions,
): Promise<Resolution> {
  return new Promise((resolve) => {
    const timer = clock.after(timeout, () => resolve({ kind: 'failed', code: 'TIMEOUT' }));
    void work
      .catch((): Resolution => ({ kind: 'failed', code: 'DNS_FAILED' }))
      .then((resolution) => {
        timer.cancel();
        return resolve(resolution);
      });
  });
}
