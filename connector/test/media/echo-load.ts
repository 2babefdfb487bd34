/**
 * What a call's audio costs: callers in a process of their own, endpoints that echo them in this one.
 * `node connector/test/media/echo-load.ts [calls] [seconds]` prints it.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import { systemClock } from '../../src/base/clock.ts';
import { silentLog } from '../../src/base/log.ts';
import type { Endpoint } from '../../src/media/endpoint.ts';
import { MediaPlane } from '../../src/media/media-plane.ts';
import { audioPort, offerOf, RtpPeer } from './peer.ts';

export interface EchoReport {
  readonly calls: number;
  /** Of the process with the endpoints: one core is 1000. */
  readonly cpuPerCallSecond: number;
  readonly rssMb: number;
  readonly lost: number;
  readonly droppedFrames: number;
  readonly skipped: number;
  /** As the callers see it. */
  readonly echoes: number;
  readonly p50: number;
  readonly p99: number;
  readonly worst: number;
}

type CallersReport = Pick<EchoReport, 'echoes' | 'p50' | 'p99' | 'worst'>;

const warmUp = 3000;
const [, , firstArgument, secondArgument, role] = process.argv;

if (role === 'callers') await runCallers(Number(firstArgument), Number(secondArgument));
else if (import.meta.main)
  console.log(await measureEcho(Number(firstArgument ?? 300), Number(secondArgument ?? 10)));

/** Runs that many calls for so many seconds, after three to warm up. */
export async function measureEcho(calls: number, seconds: number): Promise<EchoReport> {
  const plane = new MediaPlane({
    address: '127.0.0.1',
    ports: { min: 26_000, max: 27_999 },
    clock: systemClock,
    random: Math.random,
    log: silentLog,
  });
  const callers = fork(import.meta.filename, [String(calls), String(seconds), 'callers']);
  const [ports] = (await once(callers, 'message')) as [number[]];
  const endpoints: Endpoint[] = [];
  for (const port of ports) endpoints.push(await answered(plane, port));
  callers.send(endpoints.map((endpoint) => audioPort(endpoint.offer())));
  await wait(warmUp);
  const before = process.cpuUsage();
  const startedAt = performance.now();
  await wait(seconds * 1000);
  const { user, system } = process.cpuUsage(before);
  const elapsed = (performance.now() - startedAt) / 1000;
  const [report] = (await once(callers, 'message')) as [CallersReport];
  callers.disconnect();
  const totals = endpoints.map((endpoint) => endpoint.stats());
  const { skipped } = plane.stats();
  await plane.close();
  return {
    calls,
    cpuPerCallSecond: (user + system) / 1000 / calls / elapsed,
    rssMb: Math.round(process.memoryUsage().rss / 1e6),
    lost: totals.reduce((sum, one) => sum + one.lost, 0),
    droppedFrames: totals.reduce((sum, one) => sum + one.droppedFrames, 0),
    skipped,
    ...report,
  };
}

async function answered(plane: MediaPlane, port: number): Promise<Endpoint> {
  const endpoint = await plane.createEndpoint({ id: String(port), codecs: ['PCMU'] });
  endpoint.answer(offerOf({ port }));
  endpoint.setListener({
    onAudio: (audio) => endpoint.play(audio),
    onDigit: () => undefined,
    onPlayed: () => undefined,
  });
  endpoint.start();
  return endpoint;
}

async function runCallers(calls: number, seconds: number): Promise<void> {
  const peers: RtpPeer[] = [];
  for (let index = 0; index < calls; index++) peers.push(await RtpPeer.open());
  process.send?.(peers.map((peer) => peer.port));
  const [ports] = (await once(process, 'message')) as [number[]];
  const start = performance.now();
  const sentAt = peers.map(() => new Float64Array(256));
  const delays: number[] = [];
  const next = peers.map((_, index) => (index * 20) / calls);
  const timer = setInterval(() => {
    const now = performance.now() - start;
    peers.forEach((peer, index) => {
      while (next[index]! <= now) {
        // Marks 1 to 200 never meet the byte of silence.
        const mark = 1 + (Math.round(next[index]! / 20) % 200);
        sentAt[index]![mark] = performance.now();
        peer.send(ports[index]!, Buffer.alloc(160, mark));
        next[index]! += 20;
      }
      for (const packet of peer.received.splice(0)) {
        // RTCP for the port below may come here, as all ports of the callers are taken.
        if (packet.payload.length !== 160) continue;
        const at = sentAt[index]![packet.payload[0]!]!;
        if (now > warmUp && at > 0) delays.push(packet.at - at);
      }
      peer.raw.length = 0;
    });
  }, 2);
  await wait(warmUp + seconds * 1000);
  clearInterval(timer);
  process.send?.(summary(delays));
  await once(process, 'disconnect');
  await Promise.all(peers.map((peer) => peer.close()));
}

function summary(delays: readonly number[]): CallersReport {
  const sorted = delays.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.floor((sorted.length - 1) * share)] ?? Number.NaN;
  return { echoes: sorted.length, p50: at(0.5), p99: at(0.99), worst: at(1) };
}
