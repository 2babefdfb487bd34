import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { pause, Rig, system } from './rig.ts';

/** A TCP peer that is gone without a word: its address is taken away from under its connection. */

const isRoot = process.getuid?.() === 0;
const address = '10.213.77.1';
let rig: Rig;
let socket: Socket;
let hasAddress = false;

function setAddress(isThere: boolean): void {
  if (isThere === hasAddress) return;
  system('ip', 'addr', isThere ? 'add' : 'del', `${address}/32`, 'dev', 'lo');
  hasAddress = isThere;
}

beforeEach(async () => {
  if (!isRoot) return;
  setAddress(true);
  rig = await Rig.start({ sip: { listen: ['udp://127.0.0.1:0', 'tcp://127.0.0.1:0'] } });
});

afterEach(async () => {
  if (!isRoot) return;
  socket.destroy();
  setAddress(false);
  await rig.close();
});

/** A call over TCP that is up; its sound goes over addresses that stay. */
async function callByTcp(): Promise<() => void> {
  socket = connect({ host: '127.0.0.1', port: rig.tcpPort, localAddress: address });
  let received = '';
  socket.on('data', (bytes) => void (received += bytes.toString()));
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  const rtp = createSocket('udp4').bind(0, '127.0.0.1');
  await once(rtp, 'listening');
  const own = `${address}:${socket.localPort}`;
  const sdp = `v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio ${rtp.address().port} RTP/AVP 0\r\n`;
  const compose = (method: string, to: string, body: string) =>
    [
      `${method} sip:pizza@127.0.0.1:${rig.tcpPort} SIP/2.0`,
      `Via: SIP/2.0/TCP ${own};branch=z9hG4bKhalf${method}`,
      'Max-Forwards: 70',
      `From: <sip:caller@${own}>;tag=half`,
      `To: ${to}`,
      'Call-ID: half-open',
      `CSeq: 1 ${method}`,
      `Contact: <sip:caller@${own};transport=tcp>`,
      ...(body === '' ? [] : ['Content-Type: application/sdp']),
      `Content-Length: ${body.length}`,
      '',
      body,
    ].join('\r\n');
  socket.write(compose('INVITE', '<sip:pizza@127.0.0.1>', sdp));
  await expect.poll(() => received, { timeout: 5000 }).toContain('SIP/2.0 200 OK');
  const final = received.slice(received.indexOf('SIP/2.0 200 OK'));
  socket.write(compose('ACK', /^To: (.*)$/m.exec(final)?.[1]?.trim() ?? '', ''));
  await once(rtp, 'message');
  return () => rtp.close();
}

test.skipIf(!isRoot)(
  'a TCP peer that is gone without a word holds up neither its own call nor others, nor the end',
  async () => {
    const hush = await callByTcp();
    const other = await rig.talk();
    setAddress(false);
    const { calls } = (await (await rig.ask('/v1/calls')).json()) as { calls: { id: string }[] };
    const [{ id } = { id: '' }] = calls;
    expect((await rig.ask(`/v1/calls/${id}`, { method: 'DELETE' })).status).toBe(204);
    expect(await rig.metric('parley_calls_active')).toBe(1);
    await pause(1000);
    expect(other.isUp).toBe(true);
    expect(other.heardWithin(1000)).toBeGreaterThan(40);
    expect(await (await rig.talk()).hangUp()).toBe(200);
    const begun = performance.now();
    for (let signal = 0; signal < 2; signal++) {
      process.kill(rig.pid, 'SIGTERM');
      await pause(100);
    }
    expect(await rig.ended).toBe(0);
    // 5 s for an answer to the BYE, 5 s for what the connection could not send.
    expect(performance.now() - begun).toBeLessThan(13_000);
    expect(other.isLeft).toBe(true);
    hush();
  },
);
