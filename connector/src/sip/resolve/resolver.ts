import { lookup, resolveSrv } from 'node:dns/promises';
import type { SrvRecord } from './srv-order.ts';

/** Names to records. Empty where there are none; rejects when that is not known. */
export interface Resolver {
  addresses(name: string, family: 4 | 6): Promise<readonly string[]>;
  services(query: string): Promise<readonly SrvRecord[]>;
}

/** The system's resolver: /etc/hosts and search domains count for addresses, but not for SRV. */
export const systemResolver: Resolver = {
  async addresses(name, family) {
    const found = await noneIfMissing(lookup(name, { all: true, family }));
    return found.map((each) => each.address);
  },
  services: (query) => noneIfMissing(resolveSrv(query)),
};

async function noneIfMissing<T>(query: Promise<T[]>): Promise<T[]> {
  try {
    return await query;
  } catch (error) {
    const code: unknown = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOTFOUND' || code === 'ENODATA' || code === 'EAI_NODATA') return [];
    throw error;
  }
}
