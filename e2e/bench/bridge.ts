/**
 * The bare bridge that the connector is measured against: RTP to realtime WebSocket and back in the
 * plainest Node there is (dgram, ws, JSON, an interval a call), with just enough SIP to be called.
 * No transactions, no RTCP, no drift correction, no conversation.
 */
import { createSocket, type RemoteInfo } from 'node:dgram';
import { parseArgs } from 'node:util';
import { WebSocket } from 'ws';

const { values } = parseArgs({ options: { sip: { type: 'string' }, model: { type: 'string' } } });
const sip = createSocket('udp4');
const calls = new Map<string, () => void>();
const answers = new Map<string, string>();

function headerOf(text: string, name: string): string {
  return new RegExp(`^${name}: *(.*)\r$`, 'im').exec(text)?.[1] ?? '';
}

function answer(text: string, body: string): string {
  const to = headerOf(text, 'To');
  return [
    'SIP/2.0 200 OK',
    ...['Via', 'From', 'Call-ID', 'CSeq'].map((name) => `${name}: ${headerOf(text, name)}`),
    `To: ${to.includes(';tag=') ? to : `${to};tag=bridge`}`,
    `Contact: <sip:${values.sip}>`,
    ...(body ? ['Content-Type: application/sdp'] : []),
    `Content-Length: ${body.length}`,
    '',
    body,
  ].join('\r\n');
}

function bridge(remotePort: number, onReady: (localPort: number) => void): () => void {
  const rtp = createSocket('udp4');
  const model = new WebSocket(`ws://${values.model}/v1/realtime?model=bench`);
  const queue: Buffer[] = [];
  const packet = Buffer.alloc(172);
  packet[0] = 0x80;
  let sequence = 0;
  const playout = setInterval(() => {
    packet.writeUInt16BE(sequence & 0xffff, 2);
    packet.writeUInt32BE((sequence * 160) >>> 0, 4);
    sequence += 1;
    (queue.shift() ?? Buffer.alloc(160, 0xff)).copy(packet, 12);
    rtp.send(Buffer.from(packet), remotePort, '127.0.0.1');
  }, 20);
  rtp.on('message', (message) => {
    const audio = message.subarray(12).toString('base64');
    model.send(JSON.stringify({ type: 'input_audio_buffer.append', audio }));
  });
  model.on('message', (data: Buffer) => {
    const event = JSON.parse(data.toString()) as { type: string; delta?: string };
    if (event.type === 'session.created') {
      model.send(JSON.stringify({ type: 'session.update', session: { type: 'realtime' } }));
      rtp.bind(0, '127.0.0.1', () => onReady(rtp.address().port));
    }
    if (event.type !== 'response.output_audio.delta' || event.delta === undefined) return;
    const audio = Buffer.from(event.delta, 'base64');
    for (let at = 0; at < audio.length; at += 160) queue.push(audio.subarray(at, at + 160));
  });
  return () => {
    clearInterval(playout);
    rtp.close();
    model.close();
  };
}

function onInvite(text: string, callId: string, from: RemoteInfo): void {
  const known = answers.get(callId);
  if (known !== undefined) {
    if (known !== '') sip.send(known, from.port, from.address);
    return;
  }
  answers.set(callId, '');
  const remotePort = Number(/^m=audio (\d+)/m.exec(text)?.[1]);
  const close = bridge(remotePort, (port) => {
    const body = `v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio ${port} RTP/AVP 0\r\n`;
    const response = answer(text, body);
    answers.set(callId, response);
    sip.send(response, from.port, from.address);
  });
  calls.set(callId, close);
}

sip.on('message', (message, from) => {
  const text = message.toString();
  const callId = headerOf(text, 'Call-ID');
  if (text.startsWith('INVITE ')) onInvite(text, callId, from);
  if (!text.startsWith('BYE ')) return;
  calls.get(callId)?.();
  calls.delete(callId);
  sip.send(answer(text, ''), from.port, from.address);
});

const [host, port] = (values.sip ?? '').split(':');
sip.bind(Number(port), host, () => console.log('ready'));
