import { isIPv4, isIPv6 } from 'node:net';

/** What drachtio software ships with. */
const wellKnown = new Set(['cymru', 'admin']);

/** Why applications cannot be trusted by that secret at that address; undefined when they can. */
export function secretProblem(secret: string, address: string): string | undefined {
  if (secret === '') return 'the secret is empty: whoever reaches the port would command all calls';
  if (!wellKnown.has(secret) || isLoopback(address)) return undefined;
  return 'the secret is one that everybody knows: choose another, or listen on loopback only';
}

export function isLoopback(address: string): boolean {
  return (isIPv4(address) && address.startsWith('127.')) || (isIPv6(address) && address === '::1');
}
