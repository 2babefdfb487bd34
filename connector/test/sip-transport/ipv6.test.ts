import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { silentLog } from '../../src/base/log.ts';
import { startTransport } from '../../src/sip/transport/start-transport.ts';
import type { ListenPoint } from '../../src/sip/transport/transport.ts';
import { defaultTransportLimits } from '../../src/sip/transport/transport-limits.ts';
import { expectIdle, startSite as startConnector } from '../app/site.ts';
import { type Site, sdp, startSite } from '../drachtio/site.ts';
import { toneShareInPieces } from '../support/goertzel.ts';
import { sipp } from '../support/sipp.ts';
import { TonePhone } from '../support/tone-phone.ts';
import { eventually } from './station.ts';

const scenario = (name: string) =>
  resolve(import.meta.dirname, '../peers/scenarios', `${name}.xml`);

const bothFamilies: readonly ListenPoint[] = ['127.0.0.1', '::1'].flatMap((address) =>
  (['udp', 'tcp'] as const).map((protocol) => ({ protocol, address, port: 0 })),
);

async function dualStack(): Promise<Site> {
  const site = await startSite({ listen: bothFamilies });
  onTestFinished(() => site.close());
  return site;
}

function portOf({ server }: Site, protocol: string, address: string): number {
  const found = server.listenPoints.find(
    (point) => point.protocol === protocol && point.address === address,
  );
  return found?.port ?? 0;
}

interface Ear {
  readonly socket: Socket;
  readonly port: number;
  readonly heard: string[];
}

/** A socket that keeps the first line and headers of what it hears, and answers nothing. */
async function listenOn(address: string): Promise<Ear> {
  const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
  onTestFinished(() => void socket.close());
  const heard: string[] = [];
  socket.on('message', (bytes) => void heard.push(bytes.toString()));
  socket.bind(0, address);
  await once(socket, 'listening');
  return { socket, port: socket.address().port, heard };
}

test.each([
  ['udp', '-t u1'],
  ['tcp', '-t t1'],
])('sipp calls over IPv6 and %s', async (protocol, flags) => {
  const site = await dualStack();
  const ended: string[] = [];
  site.on['invite'] = (request, response) => {
    void site.srf
      .createUAS(request, response, { localSdp: sdp('desk') })
      .then((dialog) => dialog.on('destroy', () => ended.push(request.source_address)));
  };
  const result = await sipp({
    scenario: scenario('short-call'),
    target: `[::1]:${portOf(site, protocol, '::1')}`,
    local: '::1',
    flags: `${flags} -m 5 -r 10 -key rtp_port 40000`,
  });
  expect(result).toEqual({ passed: true, errors: '' });
  await eventually(() => expect(ended).toEqual(Array.from({ length: 5 }, () => '::1')));
});

test.each([
  ['127.0.0.1', '127.0.0.1'],
  ['::1', '[::1]'],
])('a call to %s leaves from the listen point of that family', async (address, host) => {
  const site = await dualStack();
  const ear = await listenOn(address);
  site.srf
    .createUAC(`sip:bob@${host}:${ear.port}`, { localSdp: sdp('desk') })
    .catch(() => undefined);
  await eventually(() => expect(ear.heard.length).toBeGreaterThan(0));
  const [invite = ''] = ear.heard;
  const at = `${host}:${portOf(site, 'udp', address)}`;
  expect(invite).toContain(`Via: SIP/2.0/UDP ${at};branch=`);
  expect(invite).toContain(`Contact: <sip:${at}>`);
  expect(invite).toMatch(/^INVITE sip:bob@\S+ SIP/);
});

test('a proxy names itself in brackets', async () => {
  const site = await dualStack();
  const [caller, callee] = [await listenOn('::1'), await listenOn('::1')];
  site.on['invite'] = (request, response) => {
    const options = { recordRoute: true, remainInDialog: true };
    site.srf.proxyRequest(request, `sip:bob@[::1]:${callee.port}`, options).catch(() => {
      response.send(500);
    });
  };
  const own = `[::1]:${caller.port}`;
  const lines = [
    'INVITE sip:bob@example.test SIP/2.0',
    `Via: SIP/2.0/UDP ${own};branch=z9hG4bKcross`,
    'Max-Forwards: 70',
    'From: <sip:ann@example.test>;tag=1',
    'To: <sip:bob@example.test>',
    'Call-ID: cross',
    'CSeq: 1 INVITE',
    `Contact: <sip:ann@${own}>`,
    'Content-Length: 0',
    '\r\n',
  ];
  caller.socket.send(lines.join('\r\n'), portOf(site, 'udp', '::1'), '::1');
  await eventually(() => expect(callee.heard.length).toBeGreaterThan(0));
  const [invite = ''] = callee.heard;
  expect(invite).toMatch(/^Record-Route: <sip:\[::1\]:\d+[;>]/m);
  expect(invite).toMatch(/^Via: SIP\/2\.0\/UDP \[::1\]:\d+;/m);
});

test.each([
  { externalHost: '203.0.113.9', shown: ['203.0.113.9', undefined] },
  { externalHost: '2001:db8::9', shown: [undefined, '2001:db8::9'] },
  { externalHost: '[2001:db8::9]', shown: [undefined, '[2001:db8::9]'] },
  { externalHost: 'sip.example.test', shown: ['sip.example.test', 'sip.example.test'] },
])(
  '$externalHost is told for listen points of its family only',
  async ({ externalHost, shown }) => {
    const transport = await startTransport({
      listen: ['127.0.0.1', '::1'].map((address) => ({
        protocol: 'udp',
        address,
        port: 0,
        externalHost,
      })),
      limits: defaultTransportLimits,
      clock: systemClock,
      log: silentLog,
      user: { onMessage: () => undefined },
    });
    onTestFinished(() => transport.close());
    expect(transport.listenPoints.map((point) => point.externalHost)).toEqual(shown);
  },
);

test.each(['udp', 'tcp'] as const)('the whole connector talks over IPv6 and %s', async (way) => {
  const phone = await TonePhone.open(31_700, 440, '::1');
  onTestFinished(() => phone.close());
  const site = await startConnector({ sip: { listen: ['udp://[::1]:0', 'tcp://[::1]:0'] } });
  onTestFinished(() => site.close());
  const { errors } = await sipp({
    scenario: scenario('call'),
    target: site[way],
    local: '::1',
    flags: `-t ${way === 'udp' ? 'u1' : 't1'} -s pizza -key rtp_port 31700`,
  });
  expect(errors).toBe('');
  const heard = phone.heard();
  expect(heard.length).toBeGreaterThan(8000);
  const begin = heard.findIndex((sample) => Math.abs(sample) > 1000);
  expect(toneShareInPieces(heard.subarray(begin, begin + 480), 1000)).toBeGreaterThan(0.8);
  expect(site.simulator.session.receivedAudioBytes).toBeGreaterThan(8000);
  await expectIdle(site);
});
