import { expect, onTestFinished, test, vi } from 'vitest';
import type { SessionEvent } from '../../src/ai/session.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { silence, tone, toneFor } from '../support/openai-simulator.ts';
import { openSession, plain, type Setup, stageWith } from './stage.ts';

async function stage(setup: Setup = {}) {
  const built = await stageWith(setup);
  onTestFinished(() => built.close());
  return built;
}

async function opened(setup: Setup = {}) {
  const built = await stage(setup);
  const { session, events } = await openSession(built.provider);
  onTestFinished(() => session.close());
  return { ...built, session, events };
}

const of = <Type extends SessionEvent['type']>(events: SessionEvent[], type: Type) =>
  events.filter((event): event is Extract<SessionEvent, { type: Type }> => event.type === type);

const soon = { timeout: 5000, interval: 5 };

test('GA speaks without the beta header, beta with it', async () => {
  for (const dialect of ['ga', 'beta'] as const) {
    const { simulator } = await opened({ dialect });
    expect(simulator.upgrades[0]?.headers['openai-beta']).toBe(
      dialect === 'beta' ? 'realtime=v1' : undefined,
    );
    expect(simulator.upgrades[0]?.url).toBe('/v1/realtime?model=gpt-realtime');
    expect(simulator.session.receivedTypes).toEqual(['session.update']);
  }
});

test.each([
  { name: 'a bad key', setup: { apiKey: 'other' }, code: 'PROVIDER_REFUSED', text: '401' },
  {
    name: 'no permission',
    setup: { refuse: { status: 403 } },
    code: 'PROVIDER_REFUSED',
    text: '403',
  },
  { name: 'no model', setup: { refuse: { status: 404 } }, code: 'PROVIDER_REFUSED', text: '404' },
  {
    name: 'too many sessions',
    setup: { refuse: { status: 429, code: 'rate_limit_exceeded' } },
    code: 'PROVIDER_UNAVAILABLE',
    text: '429 rate_limit_exceeded',
  },
  {
    name: 'an empty account',
    setup: { refuse: { status: 429, code: 'insufficient_quota' } },
    code: 'PROVIDER_REFUSED',
    text: '429 insufficient_quota',
  },
  {
    name: 'a broken server',
    setup: { refuse: { status: 503 } },
    code: 'PROVIDER_UNAVAILABLE',
    text: '503',
  },
])('$name at the upgrade is $code', async ({ setup, code, text }) => {
  const { provider } = await stage(setup);
  await expect(openSession(provider)).rejects.toMatchObject({
    code,
    message: expect.stringContaining(text) as string,
  });
});

test('a server that is not there is PROVIDER_UNAVAILABLE', async () => {
  const { provider, close } = await stageWith();
  await close();
  await expect(openSession(provider)).rejects.toMatchObject({ code: 'PROVIDER_UNAVAILABLE' });
});

test('a configuration that the server does not take is PROVIDER_REFUSED, with its words', async () => {
  const { provider, simulator } = await stage({ openDelay: Number.POSITIVE_INFINITY });
  const opening = openSession(provider);
  await vi.waitUntil(() => simulator.sessions.length === 1, soon);
  simulator.session.fail('invalid_value');
  await expect(opening).rejects.toMatchObject({
    code: 'PROVIDER_REFUSED',
    message: 'the server reported invalid_value: Simulated: invalid_value',
  });
});

test('a server that never says a word is PROVIDER_TIMEOUT, and leaves no timer', async () => {
  const clock = new FakeClock();
  const { provider, simulator } = await stage({
    openDelay: Number.POSITIVE_INFINITY,
    providerClock: clock,
  });
  const opening = openSession(provider);
  await vi.waitUntil(() => simulator.sessions.length === 1, soon);
  clock.advance(10_000);
  await expect(opening).rejects.toMatchObject({ code: 'PROVIDER_TIMEOUT' });
  expect(clock.pending).toBe(0);
});

test('a server that closes during the opening is PROVIDER_UNAVAILABLE', async () => {
  const { provider, simulator } = await stage({ openDelay: Number.POSITIVE_INFINITY });
  const opening = openSession(provider);
  await vi.waitUntil(() => simulator.sessions.length === 1, soon);
  simulator.session.close(1011);
  await expect(opening).rejects.toMatchObject({ code: 'PROVIDER_UNAVAILABLE' });
});

test('the caller’s audio arrives byte for byte', async () => {
  const { session, simulator } = await opened();
  for (let frame = 0; frame < 50; frame++) session.appendAudio(tone(20, 'pcmu'));
  await vi.waitUntil(() => simulator.session.receivedAudioBytes >= 8000, soon);
  expect(simulator.session.receivedAudio()).toEqual(tone(1000, 'pcmu'));
});

test('the reply’s audio arrives byte for byte', async () => {
  const { session, events, simulator } = await opened({ speed: 100 });
  const audio = Buffer.from(Array.from({ length: 5000 }, (_, index) => index % 251));
  simulator.behaviour.reply = () => ({ text: 'x', audio });
  session.respond();
  await vi.waitUntil(() => of(events, 'reply-ended').length === 1, soon);
  expect(Buffer.concat(of(events, 'audio').map((event) => event.audio))).toEqual(audio);
});

test('barge-in: late audio is dropped and the server learns what was heard', async () => {
  const { provider, simulator } = await stage({ speed: 4, lateDeltas: 2 });
  const { session, events } = await openSession(provider, {}, (event, own) => {
    if (event.type !== 'speech-started') return;
    own.interrupt({ item: of(events, 'audio')[0]?.item ?? '', milliseconds: 333.4 });
  });
  simulator.behaviour.reply = (turn, format) =>
    turn.kind === 'request'
      ? { text: 'a long story', audio: tone(8000, format) }
      : { text: 'yes', audio: tone(200, format) };
  session.say('a long story');
  await vi.waitUntil(() => of(events, 'audio').length >= 3, soon);
  session.appendAudio(tone(200, 'pcmu'));
  await vi.waitUntil(() => simulator.session.truncations.length === 1, soon);
  const { item } = of(events, 'audio')[0] ?? {};
  expect(simulator.session.truncations).toEqual([{ item, audioEnd: 333 }]);
  expect(of(events, 'reply-ended')).toMatchObject([{ status: 'cancelled' }]);
  const after = events.slice(events.findIndex(({ type }) => type === 'speech-started'));
  expect(of(after, 'audio')).toEqual([]);
  session.appendAudio(silence(700, 'pcmu'));
  await vi.waitUntil(() => of(events, 'reply-ended').length === 2, soon);
  expect(simulator.session.errors).toEqual(['response_cancel_not_active']);
  expect(of(events, 'fault')).toEqual([]);
});

test('an item heard to its end is not truncated, one beyond its end never', async () => {
  const { session, events, simulator } = await opened({ speed: 100 });
  session.say('Good morning');
  await vi.waitUntil(() => of(events, 'reply-ended').length === 1, soon);
  const [first] = of(events, 'audio');
  session.interrupt({ item: first?.item ?? '', milliseconds: 60_000 });
  session.interrupt({ item: first?.item ?? '', milliseconds: 100 });
  await vi.waitUntil(() => simulator.session.truncations.length === 1, soon);
  expect(simulator.session.errors).toEqual([]);
});

test('requests never meet an active response', async () => {
  const { session, events, simulator } = await opened({ speed: 100 });
  session.say('one');
  session.say('two');
  session.respond();
  await vi.waitUntil(() => of(events, 'reply-ended').length === 3, soon);
  expect(simulator.session.errors).toEqual([]);
});

test('a request that crosses the server’s own reply is answered after it', async () => {
  const { session, events, simulator } = await opened({ speed: 100, thinkTime: 0 });
  session.appendAudio(Buffer.concat([tone(400, 'pcmu'), silence(600, 'pcmu')]));
  session.say('meanwhile');
  await vi.waitUntil(() => of(events, 'reply-ended').length === 2, soon);
  expect(simulator.session.errors).toEqual(['conversation_already_has_active_response']);
  expect(of(events, 'fault')).toEqual([]);
});

test('a history is there before any audio, the wish to go on last', async () => {
  const { provider, simulator } = await stage();
  await openSession(provider, {
    history: [
      { kind: 'message', role: 'agent', text: 'Hi' },
      { kind: 'message', role: 'caller', text: 'Hello' },
    ],
  });
  await vi.waitUntil(() => simulator.session.items.length === 3, soon);
  expect(simulator.session.items).toMatchObject([
    { role: 'assistant', content: [{ type: 'output_text', text: 'Hi' }] },
    { role: 'user', content: [{ type: 'input_text', text: 'Hello' }] },
    { role: 'system', content: [{ text: expect.stringContaining('Do not greet') as string }] },
  ]);
});

test('an expired session is lost once and may be opened again', async () => {
  const { events, simulator } = await opened();
  simulator.session.expire();
  await vi.waitUntil(() => of(events, 'lost').length === 1, soon);
  expect(events).toMatchObject([{ type: 'lost', code: 'session_expired', retryable: true }]);
});

test.each([
  { code: 1001, retryable: true },
  { code: 1011, retryable: true },
  { code: 1008, retryable: false },
  { code: 3000, retryable: false },
])('a close with $code is a loss, retryable: $retryable', async ({ code, retryable }) => {
  const { events, simulator } = await opened();
  simulator.session.close(code);
  await vi.waitUntil(() => events.length === 1, soon);
  expect(events).toMatchObject([{ type: 'lost', code: `closed_${code}`, retryable }]);
});

test('errors and frames that are no events leave the session usable', async () => {
  const { session, events, simulator } = await opened({ speed: 100 });
  simulator.session.fail('rate_limit_exceeded');
  simulator.session.sendRaw('not json');
  simulator.session.sendRaw('[]');
  session.say('still here');
  await vi.waitUntil(() => of(events, 'reply-ended').length === 1, soon);
  expect(of(events, 'fault').map(({ code }) => code)).toEqual([
    'rate_limit_exceeded',
    'unreadable_event',
    'unreadable_event',
  ]);
});

test('a server that no longer answers pings is lost', async () => {
  const clock = new FakeClock();
  const { events, simulator } = await opened({ providerClock: clock });
  simulator.behaviour.isFrozen = true;
  clock.advance(10_000);
  expect(events).toEqual([]);
  clock.advance(8000);
  expect(events).toMatchObject([{ type: 'lost', code: 'ping_timeout', retryable: true }]);
  expect(clock.pending).toBe(0);
});

test('a server that answers pings lives', async () => {
  const clock = new FakeClock();
  const { session, events, simulator } = await opened({ providerClock: clock });
  for (let round = 1; round <= 3; round++) {
    clock.advance(10_000);
    await vi.waitUntil(() => simulator.session.pings === round, soon);
    // The pong is on its way; an answer to a text follows it.
    session.appendDigit('1');
    await vi.waitUntil(() => simulator.session.items.length === round, soon);
    await new Promise((resolve) => setTimeout(resolve, 50));
    clock.advance(7999);
  }
  expect(events).toEqual([]);
});

test('audio that the network does not take is dropped with one fault', async () => {
  const { session, events, simulator } = await opened();
  simulator.session.pause();
  // More than the socket buffers of both sides hold.
  for (let second = 0; second < 3000; second++) session.appendAudio(tone(1000, 'pcmu'));
  expect(of(events, 'fault')).toMatchObject([{ code: 'backlog' }]);
  await new Promise((resolve) => setImmediate(resolve));
  expect(of(events, 'fault')).toHaveLength(1);
});

test('a closed session leaves no timer and no socket', async () => {
  const clock = new FakeClock();
  const { session, simulator } = await opened({ providerClock: clock });
  session.say('x');
  session.close();
  await vi.waitUntil(() => simulator.session.isClosed && clock.pending === 0, soon);
  expect(clock.pending).toBe(0);
});

test('in echo mode every frame comes back, under one reply', async () => {
  const { session, events } = await opened({ isEcho: true });
  for (let frame = 0; frame < 25; frame++) session.appendAudio(toneFor('x', 'pcmu'));
  await vi.waitUntil(() => of(events, 'audio').length === 25, soon);
  expect(of(events, 'reply-started')).toHaveLength(1);
});

test('sessions of one provider do not share anything', async () => {
  const { provider, simulator } = await stage({ speed: 100 });
  const one = await openSession(provider, plain);
  const two = await openSession(provider, { ...plain, format: 'pcma' });
  one.session.say('one');
  await vi.waitUntil(() => of(one.events, 'reply-ended').length === 1, soon);
  simulator.sessions[0]?.break();
  await vi.waitUntil(() => of(one.events, 'lost').length === 1, soon);
  expect(two.events).toEqual([]);
  two.session.close();
});
