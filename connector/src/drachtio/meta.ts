import type { Trace } from '../sip/user-agent.ts';

/** The six fields that say how a message travelled: `network|260|udp|192.0.2.4|5070|08:00:26.846000`. */
export function formatMeta(trace: Trace): string {
  const { source, sizeBytes, protocol, address, port, time } = trace;
  return `${source}|${sizeBytes}|${protocol}|${address}|${port}|${formatTime(time)}`;
}

/** UTC time of day with six digits of fraction, no date. */
export function formatTime(wall: number): string {
  const micros = Math.round(wall * 1000);
  const [, time = ''] = new Date(Math.floor(micros / 1000)).toISOString().split('T');
  return `${time.replace('Z', '')}${String(micros % 1000).padStart(3, '0')}`;
}
