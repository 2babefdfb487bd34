import { isIP } from 'node:net';
import type { AvcKeys } from './openai-keys.ts';

/** Their range where nothing is said; the last is not used. */
const usual = { min: 35_000, max: 65_000 };

/** `maxCalls` of an agent by default. */
const usualCalls = 100;

/** `rtp` of a configuration from their section; what cannot be used is added to `left`. */
export function rtpOf(keys: AvcKeys, left: string[]): object {
  const ports = portsOf(keys);
  if (ports === undefined) left.push('[rtp] min_port, max_port: no range of ports from 1024 on');
  const address = addressOf(keys, { name: 'bind_ip', left });
  const advertisedAddress = addressOf(keys, { name: 'ip', left });
  return {
    ...(ports === undefined ? {} : { ports }),
    ...(address === undefined ? {} : { address }),
    ...(advertisedAddress === undefined ? {} : { advertisedAddress }),
  };
}

/** Calls that there are ports for, where that is fewer than an agent takes when nothing is said. */
export function callLimitOf(keys: AvcKeys): number | undefined {
  const [first = 0, last = 0] = (portsOf(keys) ?? '').split('-').map(Number);
  const pairs = (last - first + 1) / 2;
  return pairs >= 1 && pairs < usualCalls ? pairs : undefined;
}

/** Whole pairs, for RTP takes the even port and RTCP the next (RFC 3550 §11). */
function portsOf(keys: AvcKeys): string | undefined {
  const min = Number(keys['min_port'] ?? usual.min);
  const max = Number(keys['max_port'] ?? usual.max);
  const first = min + (min % 2);
  const last = max - 1 - (max % 2);
  const isRange = Number.isInteger(min) && Number.isInteger(max) && min >= 1024 && max <= 65_536;
  return isRange && last > first ? `${first}-${last}` : undefined;
}

function addressOf(
  keys: AvcKeys,
  { name, left }: { readonly name: string; readonly left: string[] },
): string | undefined {
  const text = keys[name];
  if (!text || isIP(text) !== 0) return text || undefined;
  left.push(`[rtp] ${name}: no IP address`);
  return undefined;
}
