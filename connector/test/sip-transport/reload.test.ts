import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { connect, type TLSSocket } from 'node:tls';
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest';
import { createFramer } from '../../src/sip/message/framer.ts';
import { header } from '../../src/sip/message/headers.ts';
import { defaultLimits } from '../../src/sip/message/limits.ts';
import type { SipMessage } from '../../src/sip/message/message.ts';
import { tagOf } from '../../src/sip/message/name-addr.ts';
import { Pod } from '../pod/pod.ts';
import { Volume } from '../pod/volume.ts';
import { type Certificate, makeCertificate } from './certificates.ts';
import { eventually } from './station.ts';

const soon = { timeout: 15_000, interval: 50 };
const [first, second] = [makeCertificate(['IP:127.0.0.1']), makeCertificate(['IP:127.0.0.1'])];

let volume: Volume;
let pod: Pod;

const listen = ['udp://127.0.0.1:0', 'tcp://127.0.0.1:0', 'tls://127.0.0.1:0'];
const sip = () => ({
  listen,
  tls: { certFile: volume.path('tls.crt'), keyFile: volume.path('tls.key') },
});

beforeEach(async () => {
  volume = new Volume();
  install(first);
  pod = await Pod.start({ settings: { sip: sip(), rtp: { ports: '31720-31919' } } });
});

afterEach(async () => {
  await pod.close();
  volume.remove();
});

/** As kubelet does: both files at once, by one link. */
function install({ cert }: Certificate, { key } = { key: '' }): void {
  const own = [first, second].find((each) => each.cert === cert)?.key ?? '';
  volume.write({ 'tls.crt': cert, 'tls.key': key || own });
}

/** A phone on a TLS connection of its own. */
class Phone {
  readonly socket: TLSSocket;
  readonly #framer = createFramer(defaultLimits);
  readonly #heard: SipMessage[] = [];

  private constructor(socket: TLSSocket) {
    this.socket = socket;
    socket.on('error', () => undefined);
    socket.on('data', (bytes: Buffer) => {
      for (const frame of this.#framer.push(bytes))
        if (frame.kind === 'message') this.#heard.push(frame.message);
    });
  }

  static async open(): Promise<Phone> {
    const address = pod.app.sipAddresses.find((each) => each.startsWith('tls/'));
    const port = Number(address?.split(':').at(-1));
    const socket = connect({ host: '127.0.0.1', port, ca: first.ca + second.ca });
    onTestFinished(() => void socket.destroy());
    const phone = new Phone(socket);
    await once(socket, 'secureConnect');
    return phone;
  }

  send(method: string, { to = '', sequence = 1, body = '' } = {}): void {
    const lines = [
      `${method} sip:pizza@127.0.0.1 SIP/2.0`,
      `Via: SIP/2.0/TLS phone.invalid;branch=z9hG4bK${method}${sequence}`,
      'Max-Forwards: 70',
      'From: <sip:ann@example.test>;tag=phone',
      `To: <sip:pizza@127.0.0.1>${to}`,
      'Call-ID: reload',
      `CSeq: ${sequence} ${method}`,
      'Contact: <sip:ann@phone.invalid;transport=tls>',
      ...(body === '' ? [] : ['Content-Type: application/sdp']),
      `Content-Length: ${body.length}`,
      '',
      body,
    ];
    this.socket.write(lines.join('\r\n'));
  }

  /** The final response to the request of that number, and its To tag: `;tag=x`. */
  final(sequence: number): Promise<{ status: number; tag: string }> {
    return eventually(() => {
      const found = this.#heard.find(
        (message) =>
          message.kind === 'response' &&
          message.status >= 200 &&
          header(message, 'cseq')?.startsWith(`${sequence} `),
      );
      if (found?.kind !== 'response') throw new Error(`request ${sequence} has no response`);
      return { status: found.status, tag: `;tag=${tagOf(header(found, 'to') ?? '')}` };
    });
  }
}

async function serial(): Promise<string> {
  const { socket } = await Phone.open();
  const { serialNumber } = socket.getPeerCertificate();
  socket.destroy();
  return serialNumber;
}

const serialOf = ({ cert }: Certificate) => new X509Certificate(cert).serialNumber;

const sdp = [
  'v=0',
  'o=- 1 1 IN IP4 127.0.0.1',
  's=-',
  'c=IN IP4 127.0.0.1',
  't=0 0',
  'm=audio 31718 RTP/AVP 0',
  '',
].join('\r\n');

test('new files are shown, the old connection ends, and the call goes on over a new one', async () => {
  const old = await Phone.open();
  old.send('INVITE', { body: sdp });
  const { status, tag } = await old.final(1);
  expect(status).toBe(200);
  old.send('ACK', { to: tag });
  await expect.poll(() => pod.app.held().dialogs, soon).toBe(1);
  expect(await serial()).toBe(serialOf(first));
  const closed = once(old.socket, 'close');
  install(second);
  await expect.poll(serial, soon).toBe(serialOf(second));
  await closed;
  expect(pod.app.activeCalls()).toBe(1);
  const next = await Phone.open();
  next.send('BYE', { to: tag, sequence: 2 });
  expect(await next.final(2)).toMatchObject({ status: 200 });
  await expect.poll(() => pod.app.held(), soon).toMatchObject({ calls: 0, dialogs: 0 });
  expect(pod.messages()).toContain('the changed certificates are in use');
});

const refused = () => pod.log.filter(({ message }) => message.includes('certificates are refused'));

test('a key of another certificate is refused, once, and the old pair stays', async () => {
  install(second, first);
  await expect.poll(refused, soon).toHaveLength(1);
  expect(refused()[0]?.['problem']).toMatch(/^sip\.tls\.keyFile: .*key values mismatch/);
  expect(await serial()).toBe(serialOf(first));
  install(second);
  await expect.poll(serial, soon).toBe(serialOf(second));
  expect(refused()).toHaveLength(1);
});

test('other paths need a restart, and are named', async () => {
  const peers = [{ hosts: ['sbc.example.test'], tls: { serverName: 'other.test' } }];
  pod.configure({ revision: 'r2', sip: { ...sip(), peers } });
  await expect.poll(() => pod.app.status().configProblem, soon).toBe('needs a restart: sip.peers');
  const tls = { ...sip().tls, caFile: volume.path('tls.crt') };
  pod.configure({ revision: 'r3', sip: { listen, tls } });
  await expect.poll(() => pod.app.status().configProblem, soon).toBe('needs a restart: sip.tls');
});
