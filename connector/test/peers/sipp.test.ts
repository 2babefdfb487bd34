import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { expectIdle, type Site, type SiteOptions, startSite } from '../app/site.ts';
import { toneShareInPieces } from '../support/goertzel.ts';
import { sipp } from '../support/sipp.ts';
import { TonePhone } from '../support/tone-phone.ts';

/** sipp as the caller of a whole connector, whose model says back what it hears. */

const sites: Site[] = [];
const phones: TonePhone[] = [];

afterEach(async () => {
  for (const phone of phones.splice(0)) phone.close();
  for (const site of sites.splice(0)) await site.close();
});

async function echoSite(options: SiteOptions = {}): Promise<Site> {
  const site = await startSite({
    ...options,
    agent: { greeting: undefined, ...options.agent },
    simulator: { isEcho: true, ...options.simulator },
  });
  sites.push(site);
  return site;
}

async function phoneOn(port: number, frequencyHz: number): Promise<TonePhone> {
  const phone = await TonePhone.open(port, frequencyHz);
  phones.push(phone);
  return phone;
}

function scenario(name: string): string {
  return join(import.meta.dirname, 'scenarios', `${name}.xml`);
}

/** Places calls by a scenario; fails with what sipp says. */
async function expectCall(site: Site, name: string, flags = ''): Promise<void> {
  const target = flags.includes('-t t') ? site.tcp : site.udp;
  const result = await sipp({ scenario: scenario(name), target, flags });
  expect(result).toEqual({ passed: true, errors: '' });
}

/** The caller's own tone came back: both directions carried audio. */
function expectEcho(phone: TonePhone, frequencyHz: number): void {
  const heard = phone.heard();
  expect(heard.length).toBeGreaterThan(8000);
  expect(toneShareInPieces(heard.slice(-8000), frequencyHz)).toBeGreaterThan(0.8);
}

test('a call over UDP carries audio both ways and ends by the caller', async () => {
  const site = await echoSite();
  const phone = await phoneOn(27_000, 440);
  await expectCall(site, 'call', '-key rtp_port 27000');
  expectEcho(phone, 440);
  await expectIdle(site);
  expect(site.ending()).toEqual({ result: 'completed', reason: 'caller-hung-up' });
});

test('a call over TCP carries audio both ways', async () => {
  const site = await echoSite();
  const phone = await phoneOn(27_010, 620);
  await expectCall(site, 'call', '-t t1 -key rtp_port 27010');
  expectEcho(phone, 620);
  await expectIdle(site);
});

test('calls succeed though a fifth of all messages is lost', async () => {
  const site = await echoSite();
  await expectCall(site, 'short-call', '-m 40 -r 20 -lost 20 -key rtp_port 27020 -timeout 60s');
  await expectIdle(site);
}, 90_000);

test('a caller who cancels while it rings is told so, and nothing stays', async () => {
  const site = await echoSite({ simulator: { openDelay: 2000 } });
  await expectCall(site, 'cancel', '-m 10 -r 10 -key rtp_port 27030');
  await expectIdle(site);
  expect(site.ending()).toEqual({ result: 'cancelled', reason: 'caller-cancelled' });
});

test('a CANCEL that crosses the 200 changes nothing: the call is up', async () => {
  const site = await echoSite();
  await expectCall(site, 'cancel-after-200', '-key rtp_port 27040');
  await expectIdle(site);
  expect(site.ending()).toEqual({ result: 'completed', reason: 'caller-hung-up' });
});

test('a BYE that overtakes the ACK ends the call', async () => {
  const site = await echoSite();
  await expectCall(site, 'bye-before-ack', '-key rtp_port 27050');
  await expectIdle(site);
});

test('hold silences us, resume brings the audio back', async () => {
  const site = await echoSite();
  const phone = await phoneOn(27_060, 440);
  await expectCall(site, 'hold', '-key rtp_port 27060');
  expectEcho(phone, 440);
  await expectIdle(site);
});

test('an INVITE without SDP is answered by our offer and talks', async () => {
  const site = await echoSite();
  const phone = await phoneOn(27_070, 520);
  await expectCall(site, 'no-sdp', '-key rtp_port 27070');
  expectEcho(phone, 520);
  await expectIdle(site);
});

test.each(['g729-only', 'not-sdp'])('%s is refused by its own status', async (name) => {
  const site = await echoSite();
  await expectCall(site, name, '-key rtp_port 27080');
  await expectIdle(site);
  expect(site.ending()).toEqual({ result: 'rejected', reason: 'media-not-acceptable' });
});

test('session timers are agreed and refreshed by UPDATE', async () => {
  const site = await echoSite();
  await expectCall(site, 'session-timer', '-key rtp_port 27090');
  await expectIdle(site);
});

test('an interval below 90 s is answered 422 with Min-SE', async () => {
  const site = await echoSite();
  await expectCall(site, 'session-interval-too-small', '-key rtp_port 27100');
  await expectIdle(site);
});

test('a caller who stops refreshing is hung up on before the interval is over', async () => {
  const site = await echoSite();
  await phoneOn(27_110, 440);
  await expectCall(site, 'session-expires', '-key rtp_port 27110 -timeout 110s');
  await expectIdle(site);
  expect(site.ending()).toEqual({ result: 'failed', reason: 'session-expired' });
}, 120_000);

// sipp answers only the first challenge it reads.
const auth = {
  realm: 'parley',
  algorithms: ['MD5'],
  users: [{ name: 'alice', passwordEnv: 'API_TOKEN' }],
};

test('a caller with the right password is let in', async () => {
  const site = await echoSite({ sip: { auth } });
  await expectCall(site, 'digest', '-key rtp_port 27120');
  await expectIdle(site);
});

test('a caller with a wrong password is challenged again and never rings', async () => {
  const site = await echoSite({ sip: { auth } });
  await expectCall(site, 'digest-wrong-password', '-key rtp_port 27130');
  await expectIdle(site);
  expect(site.simulator.sessions).toHaveLength(0);
});
