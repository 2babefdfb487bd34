import { lookup, resolveNaptr, resolveSrv } from 'node:dns/promises';
import type { NaptrRecord } from './naptr.ts';
import type { SrvRecord } from './srv-order.ts';

/** Names to records. Empty where there are none; rejects when that is not known. */
export interface Resolver {
  addresses(name: string, family: 4 | 6): Promise<readonly string[]>;
  services(query: string): Promise<readonly SrvRecord[]>;
  pointers(name: string): Promise<readonly NaptrRecord[]>;
}

/** Who asks the servers: `node:dns/promises`, or a `Resolver` of it that asks others. */
export interface Dns {
  resolveSrv(query: string): Promise<SrvRecord[]>;
  resolveNaptr(name: string): Promise<NaptrRecord[]>;
}

/** Addresses are the system's to find: /etc/hosts and search domains count for them, not for the rest. */
export function createResolver(dns: Dns): Resolver {
  return {
    async addresses(name, family) {
      const found = await noneIfMissing(lookup(name, { all: true, family }));
      return found.map((each) => each.address);
    },
    services: (query) => noneIfMissing(dns.resolveSrv(query)),
    pointers: (name) => noneIfMissing(dns.resolveNaptr(name)),
  };
}

export const systemResolver: Resolver = createResolver({ resolveSrv, resolveNaptr });

async function noneIfMissing<T>(query: Promise<T[]>): Promise<T[]> {
  try {
    return await query;
  } catch (error) {
    const code: unknown = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOTFOUND' || code === 'ENODATA' || code === 'EAI_NODATA') return [];
    throw error;
  }
}
