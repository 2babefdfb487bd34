import { header } from '../message/headers.ts';
import type { SipRequest } from '../message/message.ts';

/** Tools that look for servers to abuse, by a part of what they call themselves. */
export const knownScanners: readonly string[] = [
  'friendly-scanner',
  'friendly-request',
  'sipvicious',
  'sundayddr',
  'sipcli',
  'sip-scan',
  'sipsak',
  'iwar',
  'sivus',
  'siparmyknife',
  'sippts',
  'smap',
  'svmap',
  'svwar',
  'svcrack',
  'pplsip',
  'vaxsip',
  'vaxip',
  'voiphopper',
];

/** True when its User-Agent contains one of `names`, which are in lower case. */
export function isScanner(request: SipRequest, names: readonly string[]): boolean {
  const agent = header(request, 'user-agent')?.toLowerCase();
  return agent !== undefined && names.some((name) => agent.includes(name));
}
