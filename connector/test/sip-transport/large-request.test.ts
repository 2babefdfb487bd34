import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { headers } from '../../src/sip/message/headers.ts';
import { parseMessage } from '../../src/sip/message/parse.ts';
import { resolveUri } from '../../src/sip/resolve/resolve.ts';
import { systemResolver } from '../../src/sip/resolve/resolver.ts';
import { eventually, ok } from './station.ts';
import { type Desk, sendMessage, startDesk } from './user-agent.ts';

/** A peer that answers 200 on one port: over UDP and, where it has it, TCP. */
async function startPeer(hasTcp: boolean): Promise<{ port: number; vias: string[] }> {
  const vias: string[] = [];
  let port = 0;
  const answer = (bytes: Buffer): Buffer | undefined => {
    const message = parseMessage(bytes);
    if (message.kind !== 'request') return undefined;
    vias.push(headers(message, 'via')[0]?.split(' ')[0] ?? '');
    if (message.method === 'ACK') return undefined;
    const contact = { name: 'Contact', value: `<sip:peer@127.0.0.1:${port}>` };
    const kept = message.headers.filter((each) => each.name !== 'Contact');
    const lines = kept.map((each) =>
      each.name === 'To' ? { ...each, value: `${each.value};tag=peer` } : each,
    );
    return ok({ ...message, headers: [...lines, contact] });
  };
  const tcp = createServer((socket) => {
    const parts: Buffer[] = [];
    socket.on('error', () => undefined);
    socket.on('data', (bytes: Buffer) => {
      parts.push(bytes);
      const text = answer(Buffer.concat(parts));
      if (text) socket.write(text);
    });
  });
  tcp.listen(0, '127.0.0.1');
  await once(tcp, 'listening');
  const bound = tcp.address();
  port = typeof bound === 'object' && bound ? bound.port : 0;
  if (hasTcp) onTestFinished(() => void tcp.close());
  else tcp.close();
  const udp = createSocket('udp4');
  udp.on('message', (bytes, from) => {
    const text = answer(bytes);
    if (text) udp.send(text, from.port, from.address);
  });
  udp.bind(port, '127.0.0.1');
  await once(udp, 'listening');
  onTestFinished(() => void udp.close());
  return { port, vias };
}

const desk = (): Promise<Desk> =>
  startDesk({
    resolve: (uri) =>
      resolveUri(uri, {
        resolver: systemResolver,
        random: Math.random,
        clock: systemClock,
        timeout: 1_000,
        protocols: ['udp', 'tcp'],
        families: [4],
      }),
  });

test.each([
  { name: 'a small one', hasTcp: true, sizeBytes: 100, param: '', want: 'SIP/2.0/UDP' },
  { name: 'a large one', hasTcp: true, sizeBytes: 1_300, param: '', want: 'SIP/2.0/TCP' },
  { name: 'where TCP is refused', hasTcp: false, sizeBytes: 1_300, param: '', want: 'SIP/2.0/UDP' },
  {
    name: 'where the URI says UDP',
    hasTcp: true,
    sizeBytes: 1_300,
    param: ';transport=udp',
    want: 'SIP/2.0/UDP',
  },
])('a request goes over $want: $name', async ({ hasTcp, sizeBytes, param, want }) => {
  const peer = await startPeer(hasTcp);
  const own = await desk();
  await sendMessage(own, `sip:a@127.0.0.1:${peer.port}${param}`, sizeBytes);
  await eventually(() => expect(own.finals).toEqual([200]));
  expect(peer.vias).toEqual([want]);
});

test('who refused TCP is not asked for it with the next request', async () => {
  const peer = await startPeer(false);
  const own = await desk();
  for (const count of [1, 2]) {
    await sendMessage(own, `sip:a@127.0.0.1:${peer.port}`, 1_300);
    await eventually(() => expect(own.finals).toHaveLength(count));
  }
  expect(own.transport.stats().connectsFailed).toBe(1);
});

test.each([
  { hasTcp: true, want: ['SIP/2.0/UDP', 'SIP/2.0/TCP'] },
  { hasTcp: false, want: ['SIP/2.0/UDP', 'SIP/2.0/UDP'] },
])('an ACK with a large answer goes as it can: $want', async ({ hasTcp, want }) => {
  const peer = await startPeer(hasTcp);
  const own = await desk();
  const body = Buffer.alloc(0);
  const uri = `sip:peer@127.0.0.1:${peer.port}`;
  const { dialog } = await own.agent.request({ method: 'INVITE', uri, headers: [], body });
  await eventually(() => expect(own.finals).toEqual([200]));
  await own.agent.requestInDialog(dialog, {
    method: 'ACK',
    uri: 'placeholder',
    headers: [{ name: 'Content-Type', value: 'application/sdp' }],
    body: Buffer.alloc(1_300, 0x61),
  });
  await eventually(() => expect(peer.vias).toEqual(want));
});
