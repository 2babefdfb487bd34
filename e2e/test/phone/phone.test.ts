import { setTimeout as delay } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { type Call, CallRefused } from '../../phone/call.ts';
import { Phone, type PhoneOptions } from '../../phone/phone.ts';

async function phone(options: PhoneOptions): Promise<Phone> {
  const one = await Phone.open(options);
  onTestFinished(() => one.close());
  return one;
}

/** A phone that answers, and the calls it got. */
async function answering(options: Partial<PhoneOptions> = {}): Promise<[Phone, Call[]]> {
  const calls: Call[] = [];
  const one = await phone({
    user: 'bob',
    onCall(call) {
      calls.push(call);
      call.ring();
      call.answer();
    },
    ...options,
  });
  return [one, calls];
}

function tone(seconds: number): Int16Array {
  return Int16Array.from({ length: 8000 * seconds }, (_, n) => 8000 * Math.sin(n / 3));
}

test('two phones talk: sound both ways, keys, and a goodbye', async () => {
  const [bob, calls] = await answering();
  const alice = await phone({ user: 'alice', laws: ['pcma'] });
  const call = await alice.dial(bob.uri);
  await call.answered;
  await calls[0]!.answered;
  call.media.press('15#');
  await Promise.all([call.media.play(tone(0.5)), calls[0]!.media.play(tone(0.3))]);
  await delay(200);
  expect(calls[0]!.media.figures).toMatchObject({ lost: 0, strange: 0, keys: '15#' });
  expect(loud(calls[0]!)).toBeGreaterThanOrEqual(25);
  expect(loud(call)).toBeGreaterThanOrEqual(15);
  expect(call.media.law).toBe('pcma');
  await call.hangUp();
  expect(await call.ended).toEqual({ by: 'us' });
  expect(await calls[0]!.ended).toEqual({ by: 'them' });
});

function loud(call: Call): number {
  return call.media.hearing.frames.filter(({ level }) => level > 4000).length;
}

test('packets leave each 20 ms, whatever else there is to do', async () => {
  const [bob, calls] = await answering();
  const alice = await phone({ user: 'alice' });
  const call = await alice.dial(bob.uri);
  await call.answered;
  await delay(1000);
  expect(calls[0]!.media.figures.received).toBeGreaterThan(45);
  expect(calls[0]!.media.figures.received).toBeLessThan(56);
});

test('a call is held and taken back', async () => {
  const [bob, calls] = await answering();
  const alice = await phone({ user: 'alice' });
  const call = await alice.dial(bob.uri);
  await call.answered;
  expect(await call.hold()).toBe(200);
  await delay(50);
  const before = call.media.figures.received;
  await delay(200);
  expect(call.media.figures.received).toBe(before);
  expect(await call.resume()).toBe(200);
  await delay(200);
  expect(call.media.figures.received).toBeGreaterThan(before);
  expect(calls[0]!.isEnded).toBe(false);
});

test('who is busy refuses, who does not answer can be given up', async () => {
  const busy = await phone({ user: 'busy' });
  const slow = await phone({ user: 'slow', onCall: (call) => call.ring() });
  const alice = await phone({ user: 'alice' });
  const refused = await alice.dial(busy.uri);
  await expect(refused.answered).rejects.toEqual(new CallRefused(486));
  const ringing = await alice.dial(slow.uri);
  await delay(100);
  await ringing.hangUp();
  expect(await ringing.ended).toEqual({ by: 'them', status: 487 });
  expect(slow.calls).toEqual([]);
});

test('no codec in common is refused with 488', async () => {
  const [bob] = await answering({ laws: ['pcma'] });
  const alice = await phone({ user: 'alice', laws: ['pcmu'] });
  await expect((await alice.dial(bob.uri)).answered).rejects.toEqual(new CallRefused(488));
});

test('a phone that is told to call somebody else does so, and says how it went', async () => {
  const [carol, carols] = await answering({ user: 'carol' });
  const notified: string[] = [];
  const [bob, bobs] = await answering({
    onTrace: ({ direction, message }) => {
      if (direction === 'received' && message.startLine.startsWith('NOTIFY'))
        notified.push(message.body.trim());
    },
  });
  const alice = await phone({ user: 'alice' });
  const call = await alice.dial(bob.uri);
  await call.answered;
  const { status } = await bobs[0]!.request('REFER', [
    ['Refer-To', `<${carol.uri}>`],
    ['Referred-By', `<${bob.uri}>`],
  ]);
  const onward = await call.transferred;
  await delay(100);
  expect(status).toBe(202);
  expect(notified).toEqual(['SIP/2.0 100 Trying', 'SIP/2.0 200 OK']);
  expect(carols[0]?.referredBy).toBe(bob.uri);
  expect(onward.isEnded).toBe(false);
  expect(call.isEnded).toBe(false);
});

test('what belongs to no call is answered with 481, a ping with 200', async () => {
  const [bob, bobs] = await answering();
  const alice = await phone({ user: 'alice' });
  const call = await alice.dial(bob.uri);
  await call.answered;
  expect((await call.request('OPTIONS')).status).toBe(200);
  expect((await call.request('PUBLISH')).status).toBe(405);
  await bobs[0]!.hangUp();
  expect((await call.request('INFO')).status).toBe(481);
});
