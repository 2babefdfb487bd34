import type { Trace } from '../sip/user-agent.ts';

/** The six fields that say how a message travelled: `network|260|udp|192.0.2.4|5070|08:00:26.846000`. */
export function formatMeta(trace: Trace): string {
  const { source, sizeBytes, protocol, address, port, time } = trace;
  return `${source}|${sizeBytes}|${nameOf(protocol)}|${address}|${port}|${formatTime(time)}`;
}

/** The reference calls a WebSocket `tcp` here (`drachtio-protocol.md` 2). */
function nameOf(protocol: Trace['protocol']): string {
  return protocol === 'ws' || protocol === 'wss' ? 'tcp' : protocol;
}

/** UTC time of day with six digits of fraction, no date. */
export function formatTime(wall: number): string {
  const micros = Math.round(wall * 1000);
  // The date part is of no use, and this is done for every message.
  const seconds = Math.floor(micros / 1_000_000) % 86_400;
  const hour = two(Math.floor(seconds / 3_600));
  const minute = two(Math.floor(seconds / 60) % 60);
  const fraction = String(micros % 1_000_000).padStart(6, '0');
  return `${hour}:${minute}:${two(seconds % 60)}.${fraction}`;
}

function two(value: number): string {
  return value < 10 ? `0${value}` : String(value);
}
