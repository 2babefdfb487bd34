import { once } from 'node:events';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { connected, createSrf, type Dialog, flushed } from './client.ts';
import { Peer, toTagOf } from './peer.ts';
import { nextRequest, type Site, sdp, secret, startServer, startSite } from './site.ts';

let site: Site;
let peer: Peer;

beforeEach(async () => {
  [site, peer] = [await startSite(), await Peer.open()];
});

afterEach(async () => {
  peer.close();
  await site.close();
});

const port = () => Number(site.address.split(':')[1]);

test('a wrong secret is an error of connect', async () => {
  await expect(connected(createSrf(), site.server.drachtioPort, 'wrong')).rejects.toThrow(
    'failed to authenticate to server',
  );
});

test('the client is told the addresses of the server', async () => {
  const srf = createSrf(['blue', 'green']);
  const connection = once(srf as never, 'connect');
  srf.connect({ host: '127.0.0.1', port: site.server.drachtioPort, secret });
  const [error, hostPorts] = (await connection) as [Error | null, string];
  expect(error).toBeNull();
  expect(hostPorts).toBe(`udp/${site.address},tcp/${site.tcpAddress}`);
  srf.disconnect();
});

test('a client comes back after a restart of the server and takes calls again', async () => {
  const { drachtioPort } = site.server;
  await site.server.close();
  const server = await startServer({ drachtioPort });
  const [udp] = server.listenPoints;
  await once(site.srf as never, 'connect');
  await flushed(site.srf);
  const coming = nextRequest(site, 'options');
  peer.send(peer.compose('OPTIONS', `sip:127.0.0.1:${udp?.port}`), udp?.port ?? 0);
  const [, response] = await coming;
  response.send(200);
  expect((await peer.response(200)).reason).toBe('OK');
  await server.close();
});

async function answeredCall(): Promise<{ dialog: Dialog; tag: string }> {
  const coming = nextRequest(site, 'invite');
  peer.send(peer.compose('INVITE', `sip:desk@${site.address}`, { body: sdp('peer') }), port());
  const [request, response] = await coming;
  const dialog = await site.srf.createUAS(request, response, { localSdp: sdp('desk') });
  const tag = toTagOf(await peer.response(200));
  peer.send(peer.compose('ACK', `sip:${site.address}`, { toTag: tag, branch: 'ack' }), port());
  return { dialog, tag };
}

test('a dialog outlives its application: requests are 481, another can end it', async () => {
  const { dialog, tag } = await answeredCall();
  site.disconnect();
  const other = createSrf();
  await connected(other, site.server.drachtioPort, secret);
  const info = () => {
    peer.send(
      peer.compose('INFO', `sip:${site.address}`, {
        toTag: tag,
        sequence: 2,
        extra: [{ name: 'Content-Type', value: 'text/plain' }],
      }),
      port(),
    );
    return peer.response(481);
  };
  await info();
  const ended = new Promise<void>((resolve) => {
    other.app.client.request({ method: 'BYE', stackDialogId: dialog.id, headers: {} }, () =>
      resolve(),
    );
  });
  const bye = await peer.request('BYE');
  expect(bye.uri).toBe(`sip:peer@${peer.address}`);
  peer.answer(bye, 200);
  await ended;
  other.disconnect();
});

test('new calls go to the applications in turn', async () => {
  const second = createSrf();
  const served: string[] = [];
  second.use('options', (_, response) => {
    served.push('second');
    response.send(200);
  });
  await connected(second, site.server.drachtioPort, secret);
  site.on['options'] = (_, response) => {
    served.push('first');
    response.send(200);
  };
  for (const callId of ['a', 'b', 'c', 'd']) {
    peer.send(peer.compose('OPTIONS', `sip:${site.address}`, { callId }), port());
    await peer.response(200);
  }
  expect(served.toSorted()).toEqual(['first', 'first', 'second', 'second']);
  second.disconnect();
});

test('an INVITE whose application dies is answered within 5 s', async () => {
  const coming = nextRequest(site, 'invite');
  peer.send(peer.compose('INVITE', `sip:desk@${site.address}`, { body: sdp('peer') }), port());
  await coming;
  site.disconnect();
  expect((await peer.response(503)).reason).toBe('Service Unavailable');
});
