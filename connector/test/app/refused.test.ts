import { afterEach, expect, test } from 'vitest';
import { Peer } from '../drachtio/peer.ts';
import { sdp } from '../drachtio/site.ts';
import { type Site, startSite } from './site.ts';

let site: Site;
let peer: Peer;

afterEach(async () => {
  peer.close();
  await site.close();
});

test('what the SIP server refuses of its own accord is in the metrics, by why', async () => {
  const users = [{ name: 'alice', passwordEnv: 'API_TOKEN' }];
  site = await startSite({ sip: { auth: { realm: 'parley', users } } });
  peer = await Peer.open();
  const send = (
    callId: string,
    options: { uri?: string; extra?: [string, string]; toTag?: string },
  ) => {
    const {
      uri = `sip:pizza@${site.udp}`,
      extra: [name, value] = ['X-None', 'x'],
      toTag,
    } = options;
    const more = {
      callId,
      body: sdp('peer'),
      extra: [
        { name: 'Supported', value: 'timer' },
        { name, value },
      ],
    };
    const invite = peer.compose('INVITE', uri, toTag === undefined ? more : { ...more, toTag });
    peer.send(invite, Number(site.udp.split(':')[1]));
  };
  send('a', {});
  await peer.response(401);
  send('b', { uri: 'nobody:knows' });
  await peer.response(416);
  send('c', { extra: ['Session-Expires', '30'] });
  await peer.response(422);
  send('d', { extra: ['Require', 'magic'] });
  await peer.response(420);
  send('e', { toTag: 'nobody' });
  await peer.response(481);
  const text = await (await fetch(`${site.app.httpUrl}/metrics`)).text();
  const counts = [...text.matchAll(/^parley_sip_refused_total\{reason="([^"]+)"\} (\d+)$/gm)];
  expect(Object.fromEntries(counts.map(([, reason, count]) => [reason, Number(count)]))).toEqual({
    unauthorized: 1,
    'uri-scheme': 1,
    'session-interval': 1,
    extension: 1,
    'no-dialog': 1,
  });
});
