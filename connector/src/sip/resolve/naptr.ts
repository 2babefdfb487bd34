import type { Protocol } from '../transport/protocol.ts';
import type { Service } from './plan.ts';

/** One NAPTR record (RFC 3403 §4.1). */
export interface NaptrRecord {
  readonly order: number;
  readonly preference: number;
  readonly flags: string;
  readonly service: string;
  readonly regexp: string;
  /** The name to ask next. */
  readonly replacement: string;
}

/** Services of RFC 3263 §4.1 and RFC 7118 §5.3. */
const protocolsByService: Readonly<Record<string, Protocol>> = {
  'SIP+D2U': 'udp',
  'SIP+D2T': 'tcp',
  'SIPS+D2T': 'tls',
  'SIP+D2W': 'ws',
  'SIPS+D2W': 'wss',
};

/**
 * The SRV queries that NAPTR records lead to, in their order and among equals by preference. Records for
 * what is not among `protocols`, or that do not end in SRV, count for nothing (RFC 3263 §4.1).
 */
export function servicesOf(
  records: readonly NaptrRecord[],
  protocols: readonly Protocol[],
): readonly Service[] {
  return records
    .toSorted((a, b) => a.order - b.order || a.preference - b.preference)
    .flatMap(({ flags, service, regexp, replacement }) => {
      const protocol = protocolsByService[service.toUpperCase()];
      const query = replacement.toLowerCase().replace(/\.$/, '');
      const isTerminal = flags.toLowerCase() === 's' && regexp === '' && query !== '';
      return isTerminal && protocol && protocols.includes(protocol) ? [{ protocol, query }] : [];
    });
}
