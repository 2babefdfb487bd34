import { expect, test } from 'vitest';
import { FakeSignalling } from '../../test/calls/fake-signalling.ts';
import { FakeClock } from '../../test/support/fake-clock.ts';
import { silentLog } from '../base/log.ts';
import { Calls } from './calls.ts';
import type { DialOptions } from './dial.ts';
import type { CredentialsOf } from './digest.ts';
import type { LegUser } from './leg.ts';

const sdpType = { 'content-type': 'application/sdp' };
const answer = { headers: sdpType, body: 'v=0 theirs' };

async function dialling(over: Partial<DialOptions> = {}, credentialsOf?: CredentialsOf) {
  const clock = new FakeClock();
  const signalling = new FakeSignalling();
  const told: string[] = [];
  const user: LegUser = {
    onOffer: (sdp) => sdp,
    onOfferWanted: () => 'v=0',
    onAnswer: () => undefined,
    onConfirmed: () => void told.push('confirmed'),
    onDigit: () => undefined,
    onEnded: (end) => void told.push(end),
  };
  const calls = new Calls(
    {
      clock,
      log: silentLog,
      sessionSeconds: 1800,
      nonce: () => 'cn',
      ...(credentialsOf && { credentialsOf }),
    },
    { onIncoming: () => undefined, onOptions: () => ({ status: 200 }) },
  );
  await calls.connect(async () => signalling);
  const outcome = calls.dial({
    to: 'sip:bob@example.com',
    from: 'sip:agent@localhost',
    sdp: 'v=0 ours',
    timeout: 60_000,
    onProvisional: (status, sdp) => void told.push(`${status} ${sdp ?? ''}`.trim()),
    user,
    ...over,
  });
  await clock.advanceAsync(0);
  return { clock, signalling, told, calls, outcome };
}

test('an INVITE carries offer, capabilities and session timer', async () => {
  const { signalling } = await dialling();
  expect(signalling.last.draft).toMatchObject({
    method: 'INVITE',
    uri: 'sip:bob@example.com',
    body: 'v=0 ours',
    headers: {
      From: '<sip:agent@localhost>',
      To: '<sip:bob@example.com>',
      'Session-Expires': '1800',
      'Min-SE': '90',
      'Content-Type': 'application/sdp',
    },
  });
});

test('an answered call is acknowledged and has a leg', async () => {
  const { signalling, told, calls, outcome, clock } = await dialling();
  signalling.last.reply(180);
  signalling.last.reply(183, answer);
  signalling.last.reply(200, answer);
  expect(await outcome).toMatchObject({ outcome: 'answered', sdp: 'v=0 theirs' });
  expect(told).toEqual(['180', '183 v=0 theirs', 'confirmed']);
  expect([signalling.last.acknowledged, calls.legCount, clock.pending]).toEqual([1, 1, 0]);
});

test('a reliable provisional is acknowledged', async () => {
  const { signalling } = await dialling();
  signalling.last.reply(183, { headers: { rseq: '1' } });
  expect(signalling.last.acknowledged).toBe(1);
});

test.each([
  { status: 486, reason: 'Busy Here' },
  { status: 302, reason: 'Moved Temporarily' },
  { status: 603, reason: 'Decline' },
])('$status is a failure with its reason', async ({ status, reason }) => {
  const { signalling, outcome, calls, clock } = await dialling();
  signalling.last.reply(status, { reason });
  expect(await outcome).toEqual({ outcome: 'failed', status, reason });
  expect([calls.legCount, clock.pending]).toEqual([0, 0]);
});

test('a redirect is not followed; the failure says where to', async () => {
  const { signalling, outcome } = await dialling();
  const contact = '<sip:bob@192.0.2.7>;q=0.5, <sip:bob@192.0.2.8>';
  signalling.last.reply(302, { reason: 'Moved Temporarily', headers: { contact } });
  expect(await outcome).toMatchObject({ outcome: 'failed', status: 302, contact });
  expect(signalling.sent).toHaveLength(1);
});

test('a phone that rings too long is cancelled', async () => {
  const { signalling, outcome, clock } = await dialling();
  signalling.last.reply(180);
  await clock.advanceAsync(60_000);
  expect(await outcome).toMatchObject({ outcome: 'failed', status: 408 });
  expect(signalling.last.isCancelled).toBe(true);
});

test('an answer that crosses the CANCEL is acknowledged and ended', async () => {
  const giveUp = new AbortController();
  const { signalling, outcome, clock, told, calls } = await dialling({ signal: giveUp.signal });
  giveUp.abort();
  expect(await outcome).toMatchObject({ outcome: 'failed', status: 487 });
  signalling.last.reply(200, answer);
  await clock.advanceAsync(0);
  expect(signalling.sent[0]).toMatchObject({ isCancelled: true, acknowledged: 1 });
  expect(signalling.methods).toEqual(['INVITE', 'BYE']);
  signalling.last.reply(200);
  await clock.advanceAsync(0);
  expect([told, calls.legCount, clock.pending]).toEqual([[], 0, 0]);
});

test('an answer without SDP ends the call', async () => {
  const { signalling, outcome, clock } = await dialling();
  signalling.last.reply(200);
  await clock.advanceAsync(0);
  expect(await outcome).toMatchObject({ outcome: 'failed', status: 488 });
  expect(signalling.methods).toEqual(['INVITE', 'BYE']);
});

test('422 is tried once more with the interval it names', async () => {
  const { signalling, outcome, clock } = await dialling();
  signalling.last.reply(422, { headers: { 'min-se': '3600' } });
  await clock.advanceAsync(0);
  expect(signalling.last.draft.headers).toMatchObject({ 'Session-Expires': '3600' });
  signalling.last.reply(422, { headers: { 'min-se': '7200' } });
  expect(await outcome).toMatchObject({ outcome: 'failed', status: 422 });
  expect(signalling.sent).toHaveLength(2);
});

test('a signal that is aborted already sends nothing', async () => {
  const { signalling, outcome } = await dialling({ signal: AbortSignal.abort() });
  expect(await outcome).toMatchObject({ outcome: 'failed', status: 487 });
  expect(signalling.sent).toEqual([]);
});

const challenge = {
  headers: { 'proxy-authenticate': 'Digest realm="r", nonce="n", qop="auth"' },
};
const credentialsOf = (realm: string) =>
  realm === 'other' ? undefined : { username: `u-${realm}`, password: 'p' };

test('a challenge is answered in the same dialog with the next CSeq', async () => {
  const { signalling, outcome, clock } = await dialling({}, credentialsOf);
  signalling.last.reply(407, challenge);
  await clock.advanceAsync(0);
  expect(signalling.last.draft.headers).toMatchObject({
    'Call-ID': 'out-1',
    From: '<sip:agent@localhost>;tag=ours',
    CSeq: '8 INVITE',
    'Proxy-Authorization': expect.stringContaining('uri="sip:bob@example.com"') as string,
  });
  signalling.last.reply(200, answer);
  expect(await outcome).toMatchObject({ outcome: 'answered' });
});

test('credentials that are refused are not tried again', async () => {
  const { signalling, outcome, clock } = await dialling({}, credentialsOf);
  signalling.last.reply(407, challenge);
  await clock.advanceAsync(0);
  signalling.last.reply(407, { ...challenge, reason: 'Proxy Authentication Required' });
  expect(await outcome).toMatchObject({ outcome: 'failed', status: 407 });
  expect(signalling.sent).toHaveLength(2);
});

const stale = (nonce: string) => ({
  headers: { 'proxy-authenticate': `Digest realm="r", nonce="${nonce}", stale=TRUE` },
});

test('a nonce that is too old is answered once more, with the new one', async () => {
  const { signalling, outcome, clock } = await dialling({}, credentialsOf);
  signalling.last.reply(407, challenge);
  await clock.advanceAsync(0);
  signalling.last.reply(407, stale('n2'));
  await clock.advanceAsync(0);
  const value = signalling.last.draft.headers?.['Proxy-Authorization'];
  expect(value).toContain('nonce="n2"');
  signalling.last.reply(407, stale('n3'));
  expect(await outcome).toMatchObject({ outcome: 'failed', status: 407 });
  expect(signalling.sent).toHaveLength(3);
});

test('a proxy and the far end each get their own credentials', async () => {
  const { signalling, clock } = await dialling({}, credentialsOf);
  signalling.last.reply(407, challenge);
  await clock.advanceAsync(0);
  signalling.last.reply(401, {
    headers: {
      'www-authenticate': 'Digest realm="other", nonce="n", Digest realm="far", nonce="n"',
    },
  });
  await clock.advanceAsync(0);
  expect(signalling.last.draft.headers).toMatchObject({
    'Proxy-Authorization': expect.stringContaining('username="u-r"') as string,
    Authorization: expect.stringContaining('username="u-far"') as string,
  });
});

test('a realm that there are no credentials for is a failure', async () => {
  const { signalling, outcome } = await dialling({}, credentialsOf);
  signalling.last.reply(401, {
    headers: { 'www-authenticate': 'Digest realm="other", nonce="n"' },
  });
  expect(await outcome).toMatchObject({ outcome: 'failed', status: 401 });
  expect(signalling.sent).toHaveLength(1);
});

test('without credentials a challenge is a failure', async () => {
  const { signalling, outcome } = await dialling();
  signalling.last.reply(407, challenge);
  expect(await outcome).toMatchObject({ outcome: 'failed', status: 407 });
});
