import { isIP, isIPv4, isIPv6 } from 'node:net';
import { addressOf } from '../message/uri.ts';
import type { ListenPoint, Remote } from './transport.ts';

/**
 * The listen point that a message to `remote` leaves from: same protocol and address family; of several
 * the one that shares most leading bits with the remote, loopback only for loopback. The first wins.
 */
export function chooseListenPoint(
  points: readonly ListenPoint[],
  remote: Pick<Remote, 'protocol' | 'address'>,
): ListenPoint | undefined {
  let best: ListenPoint | undefined;
  let bestScore = -1;
  for (const point of points) {
    if (point.protocol !== remote.protocol || !isSameFamily(point.address, remote.address))
      continue;
    const score = nearnessOf(point.address, remote.address);
    if (score > bestScore) [best, bestScore] = [point, score];
  }
  return best;
}

/**
 * A listen point with what its peers are told: an external address counts for those of its own family, a
 * name for all. A wildcard without shows the first of `addresses`, the machine's own.
 */
export function withShownHost(point: ListenPoint, addresses: readonly string[]): ListenPoint {
  const { externalHost, ...bound } = point;
  const family = isIP(point.address);
  const shown = externalHost === undefined ? undefined : isIP(addressOf(externalHost));
  if (shown === 0 || shown === family) return point;
  if (!isWildcard(point.address)) return bound;
  const own = addresses.find((address) => isIP(address) === family);
  return { ...bound, externalHost: own ?? (family === 6 ? '::1' : '127.0.0.1') };
}

function isSameFamily(a: string, b: string): boolean {
  return (isIPv4(a) && isIPv4(b)) || (isIPv6(a) && isIPv6(b));
}

export function isWildcard(address: string): boolean {
  return address === '0.0.0.0' || /^[0:]+$/.test(address);
}

function isLoopback(address: string): boolean {
  return address.startsWith('127.') || address === '::1';
}

/** 0 across the border of loopback, 1 for a wildcard, else 2 and the number of equal leading bits. */
function nearnessOf(local: string, remote: string): number {
  if (isWildcard(local)) return 1;
  if (isLoopback(local) !== isLoopback(remote)) return 0;
  return 2 + equalBits(bitsOf(local), bitsOf(remote));
}

function equalBits(a: string, b: string): number {
  let count = 0;
  while (count < a.length && a[count] === b[count]) count++;
  return count;
}

function bitsOf(address: string): string {
  if (isIPv4(address))
    return address
      .split('.')
      .map((part) => binary(Number(part), 8))
      .join('');
  const [head = '', tail] = address.split('%')[0]?.split('::') ?? [];
  const left = groupsOf(head);
  const right = groupsOf(tail ?? '');
  const middle = Array.from({ length: Math.max(0, 8 - left.length - right.length) }, () => 0);
  return [...left, ...middle, ...right].map((group) => binary(group, 16)).join('');
}

function groupsOf(text: string): number[] {
  return text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16));
}

function binary(value: number, width: number): string {
  return value.toString(2).padStart(width, '0');
}

/** `udp 127.0.0.1:5060`, for log and errors about our own sockets. */
export function nameOf(point: ListenPoint): string {
  const host = point.address.includes(':') ? `[${point.address}]` : point.address;
  return `${point.protocol} ${host}:${point.port}`;
}
