import type { Trace } from '../sip/user-agent.ts';

/** The six fields that say how a message travelled: `network|260|udp|192.0.2.4|5070|08:00:26.846000`. */
export function formatMeta(trace: Trace): string {
  const { source, sizeBytes, protocol, address, port, time } = trace;
  return `${source}|${sizeBytes}|${protocol}|${address}|${port}|${formatTime(time)}`;
}

/** UTC time of day with six digits of fraction, no date. */
export function formatTime(wall: number): string {
  const [, time = ''] = new Date(Math.floor(wall)).toISOString().split('T');
  const micros = Math.floor((wall - Math.floor(wall)) * 1000);
  return `${time.replace('Z', '')}${String(micros).padStart(3, '0')}`;
}
