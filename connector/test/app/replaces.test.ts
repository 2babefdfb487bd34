import { afterEach, expect, test } from 'vitest';
import { header } from '../../src/sip/message/headers.ts';
import { Peer, toTagOf } from '../drachtio/peer.ts';
import { toneShareInPieces } from '../support/goertzel.ts';
import { TonePhone } from '../support/tone-phone.ts';
import { expectIdle, type Site, startSite, untilCalls } from './site.ts';

/** RFC 3891 through the whole connector, whose model says back what it hears. */

const open: { close(): void }[] = [];
let site: Site;

afterEach(async () => {
  for (const each of open.splice(0)) each.close();
  await site.close();
});

async function start(): Promise<Site> {
  site = await startSite({ agent: { greeting: undefined }, simulator: { isEcho: true } });
  return site;
}

/** One phone: its signalling, and where its sound is. */
interface Phone {
  readonly peer: Peer;
  readonly callId: string;
  readonly rtpPort: number;
}

async function phone(callId: string, rtpPort: number): Promise<Phone> {
  const peer = await Peer.open();
  open.push(peer);
  return { peer, callId, rtpPort };
}

async function tone(rtpPort: number, frequencyHz: number): Promise<TonePhone> {
  const sound = await TonePhone.open(rtpPort, frequencyHz);
  open.push(sound);
  return sound;
}

const offer = (rtpPort: number) =>
  [
    'v=0',
    'o=peer 1 1 IN IP4 127.0.0.1',
    's=-',
    'c=IN IP4 127.0.0.1',
    't=0 0',
    `m=audio ${rtpPort} RTP/AVP 0`,
    'a=rtpmap:0 PCMU/8000',
    '',
  ].join('\r\n');

const port = () => Number(site.udp.split(':')[1]);
const uri = () => `sip:pizza@${site.udp}`;

function invite({ peer, callId, rtpPort }: Phone, replaces?: string): void {
  const extra = replaces === undefined ? [] : [{ name: 'Replaces', value: replaces }];
  peer.send(peer.compose('INVITE', uri(), { callId, body: offer(rtpPort), extra }), port());
}

/** Takes the 200 and acknowledges it; gives the tag of the connector. */
async function accept({ peer, callId }: Phone): Promise<string> {
  const toTag = toTagOf(await peer.response(200));
  peer.send(peer.compose('ACK', uri(), { callId, toTag, branch: `ack-${callId}` }), port());
  return toTag;
}

function bye({ peer, callId }: Phone, toTag: string): void {
  peer.send(peer.compose('BYE', uri(), { callId, toTag, sequence: 2 }), port());
}

const replaces = (old: Phone, toTag: string) => `${old.callId};to-tag=${toTag};from-tag=peer`;

/** A call that is up. */
function talking(old: Phone): Promise<string> {
  invite(old);
  return accept(old);
}

test('the conversation goes on with the phone that takes the call over', async () => {
  const { simulator, ending } = await start();
  const [old, fresh] = [await phone('old', 31_530), await phone('fresh', 31_532)];
  const [first, second] = [await tone(31_530, 440), await tone(31_532, 620)];
  const toTag = await talking(old);
  await expect.poll(() => first.heard().length, { timeout: 5000 }).toBeGreaterThan(8000);
  invite(fresh, replaces(old, toTag));
  const freshTag = await accept(fresh);
  const goodbye = await old.peer.request('BYE');
  expect(header(goodbye, 'reason')).toBe('SIP;cause=200;text="Replaced"');
  old.peer.answer(goodbye, 200);
  const before = second.heard().length;
  await expect
    .poll(() => second.heard().length, { timeout: 5000 })
    .toBeGreaterThan(before + 16_000);
  // What the model says back is the new phone's own tone, so that it hears that phone and no other.
  expect(toneShareInPieces(second.heard().slice(-4000), 620)).toBeGreaterThan(0.8);
  const silent = first.heard().length;
  await untilCalls(site, 1);
  expect(simulator.sessions).toHaveLength(1);
  expect(site.app.held()).toEqual({ calls: 1, dialogs: 1, endpoints: 1 });
  bye(fresh, freshTag);
  await fresh.peer.response(200);
  await expectIdle(site);
  expect(first.heard().length).toBe(silent);
  expect(ending()).toEqual({ result: 'completed', reason: 'caller-hung-up' });
});

test('of two phones that want the call one has it, the other is declined', async () => {
  await start();
  const old = await phone('old', 31_534);
  const rivals = [await phone('one', 31_536), await phone('two', 31_538)] as const;
  const toTag = await talking(old);
  for (const rival of rivals) invite(rival, replaces(old, toTag));
  const freshTag = await accept(rivals[0]);
  await rivals[1].peer.response(603);
  old.peer.answer(await old.peer.request('BYE'), 200);
  bye(rivals[0], freshTag);
  await rivals[0].peer.response(200);
  await expectIdle(site);
});

test('the old phone hangs up just after the new one called: the call goes on', async () => {
  await start();
  const [old, fresh] = [await phone('old', 31_540), await phone('fresh', 31_542)];
  const toTag = await talking(old);
  invite(fresh, replaces(old, toTag));
  bye(old, toTag);
  const freshTag = await accept(fresh);
  await old.peer.response(200);
  expect(site.app.activeCalls()).toBe(1);
  bye(fresh, freshTag);
  await fresh.peer.response(200);
  await expectIdle(site);
});

test('the old phone hung up just before: declined, and nothing is left', async () => {
  await start();
  const [old, fresh] = [await phone('old', 31_544), await phone('fresh', 31_546)];
  const toTag = await talking(old);
  bye(old, toTag);
  invite(fresh, replaces(old, toTag));
  await fresh.peer.response(603);
  await expectIdle(site);
});

test.each([
  { name: 'a dialog that never was', value: () => 'none;to-tag=a;from-tag=b', status: 481 },
  {
    name: 'a call that is answered, where only a ringing one is wanted',
    value: (old: Phone, toTag: string) => `${replaces(old, toTag)};early-only`,
    status: 486,
  },
  { name: 'no tags', value: () => 'old', status: 400 },
])('$name: $status, the call that is up goes on', async ({ value, status }) => {
  await start();
  const [old, fresh] = [await phone('old', 31_548), await phone('fresh', 31_550)];
  const toTag = await talking(old);
  invite(fresh, value(old, toTag));
  await fresh.peer.response(status);
  await untilCalls(site, 1);
  expect(old.peer.inbox.filter(({ kind }) => kind === 'request')).toEqual([]);
  bye(old, toTag);
  await old.peer.response(200);
  await expectIdle(site);
});
