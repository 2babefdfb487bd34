import { expect, test } from 'vitest';
import { speakerByte, speakerDuration, Talk } from '../../test/conversation/talk.ts';
import type { FakeSession } from '../../test/support/fake-provider.ts';
import { FakeProvider } from '../../test/support/fake-provider.ts';
import { ConnectorError } from '../base/errors.ts';

const unavailable = new ConnectorError('PROVIDER_UNAVAILABLE', 'no route');

function lose(session: FakeSession, retryable = true): void {
  session.emit({ type: 'lost', code: 'gone', message: '', retryable });
}

test('a lost session is followed by one of the same provider that knows what was said', async () => {
  const talk = await Talk.begun();
  talk.session.hears('I want a pizza');
  talk.session.reply('Which one?', 200);
  await talk.pass(300);
  lose(talk.session);
  await talk.pass(20);
  expect(talk.providers[0]?.sessions).toHaveLength(2);
  expect(talk.session.options.history).toEqual([
    { kind: 'message', role: 'agent', text: 'Hello!' },
    { kind: 'message', role: 'caller', text: 'I want a pizza' },
    { kind: 'message', role: 'agent', text: 'Which one?' },
  ]);
  // Nothing was owed: the caller has the floor.
  expect(talk.session.calls).toEqual([]);
  expect(talk.of('session-opened').at(-1)).toMatchObject({ isResumed: true });
  expect(talk.of('provider-lost')).toEqual([
    { type: 'provider-lost', provider: 'fake', code: 'gone' },
  ]);
  talk.end();
  expect(talk.clock.pending).toBe(0);
});

test('a reply that broke off is asked for again; what was received of it is heard', async () => {
  const talk = await Talk.begun();
  talk.session.hears('Tell me');
  talk.session.begin('Well, it is', 400, 5);
  await talk.pass(100);
  lose(talk.session);
  await talk.pass(20);
  expect(talk.session.options.history.at(-1)).toEqual({
    kind: 'message',
    role: 'agent',
    text: 'Well, it is',
  });
  expect(talk.session.calls).toEqual(['respond']);
  await talk.pass(400);
  expect(talk.line.frames.filter((frame) => frame[0] === 5)).toHaveLength(20);
  talk.end();
});

test('what the new session is told of an interrupted turn is what was heard', async () => {
  const talk = await Talk.begun();
  talk.session.begin('One two three four', 1000);
  await talk.pass(500);
  talk.session.hears('Stop');
  lose(talk.session);
  await talk.pass(20);
  expect(talk.session.options.history.slice(1)).toEqual([
    { kind: 'message', role: 'agent', text: 'One two' },
    { kind: 'message', role: 'caller', text: 'Stop' },
  ]);
  talk.end();
});

test('items of the lost session are not truncated in the new one, though the caller cuts in', async () => {
  const talk = await Talk.begun();
  talk.session.reply('A long story', 2000);
  lose(talk.session);
  await talk.pass(100);
  talk.session.emit({ type: 'speech-started' });
  expect(talk.session.calls).toEqual([]);
  expect(talk.of('barge-in')).toHaveLength(1);
  const before = talk.line.frames.length;
  await talk.pass(100);
  expect(talk.line.frames.slice(before).every((frame) => frame[0] === 0xff)).toBe(true);
  talk.end();
});

test('events of a lost session are not listened to', async () => {
  const talk = await Talk.begun();
  const old = talk.session;
  lose(old);
  await talk.pass(20);
  old.reply('ghost', 200, 6);
  lose(old);
  await talk.pass(300);
  expect(talk.line.sounds).not.toContain(6);
  expect(talk.providers[0]?.sessions).toHaveLength(2);
  talk.end();
});

test("the caller's audio and keys of the gap reach the next session in order", async () => {
  const providers = [new FakeProvider('a', 'at once', unavailable), new FakeProvider('b')];
  const talk = await Talk.begun({ providers });
  lose(talk.session, false);
  talk.caller?.onAudio(Buffer.alloc(160, 1));
  talk.caller?.onAudio(Buffer.alloc(160, 2));
  await talk.pass(20);
  expect([...new Set(providers[1]?.session.audio)]).toEqual([1, 2]);
  talk.caller?.onAudio(Buffer.alloc(160, 3));
  expect(providers[1]?.session.audio.at(-1)).toBe(3);
  talk.end();
});

test('keys of the gap are in the history when they came before it, else they are passed on', async () => {
  const providers = [new FakeProvider('a', 'at once', 'never'), new FakeProvider('b')];
  const talk = await Talk.begun({ providers, agent: { greeting: undefined } });
  talk.caller?.onDigit('1', 100);
  lose(talk.session);
  talk.caller?.onDigit('2', 100);
  await talk.pass(20);
  talk.caller?.onDigit('3', 100);
  // The attempts with the first provider run into their time limit.
  await talk.pass(16_000);
  expect(talk.session.options.history[0]).toMatchObject({ text: '(pressed the keys 123)' });
  expect(talk.session.calls.filter((call) => call.startsWith('digit'))).toEqual([]);
  talk.end();
});

test('a provider is reconnected twice within a minute, then the next serves', async () => {
  const providers = [new FakeProvider('a'), new FakeProvider('b')];
  const talk = await Talk.begun({ providers });
  for (const expected of ['a', 'a', 'b']) {
    lose(talk.session);
    await talk.pass(600);
    expect(talk.of('session-opened').at(-1)?.provider).toBe(expected);
  }
  talk.end();
});

test('a provider that refuses for good is not asked again', async () => {
  const providers = [new FakeProvider('a'), new FakeProvider('b')];
  const talk = await Talk.begun({ providers });
  lose(talk.session, false);
  await talk.pass(20);
  expect(providers.map(({ attempts }) => attempts)).toEqual([1, 1]);
  talk.end();
});

test('when no provider is left the caller hears the apology, whatever he says, then the end', async () => {
  const talk = await Talk.begun();
  lose(talk.session, false);
  await talk.pass(speakerDuration - 20);
  expect(talk.hangUps).toEqual([]);
  await talk.pass(60);
  expect(talk.line.sounds.at(-1)).toBe(speakerByte);
  expect(talk.line.frames.filter((frame) => frame[0] === speakerByte)).toHaveLength(
    speakerDuration / 20,
  );
  expect(talk.hangUps).toEqual([{ result: 'failed', reason: 'provider-failed' }]);
  expect(talk.conversation.transcript().at(-1)).toMatchObject({
    role: 'agent',
    heardText: 'We are sorry, something went wrong on our side. Please call again later.',
    isInterrupted: false,
  });
  expect(talk.clock.pending).toBe(0);
});

test.each([
  { name: 'no speaker', speaker: 'none' as const },
  { name: 'a speaker that fails', speaker: () => Promise.reject(new Error('no voice')) },
  { name: 'a speaker that dawdles', speaker: () => new Promise<Buffer>(() => undefined) },
])('with $name three beeps stand for the apology', async ({ speaker }) => {
  const talk = await Talk.begun({ speaker });
  lose(talk.session, false);
  await talk.pass(3200);
  const loud = talk.line.frames.filter((frame) => new Set(frame).size > 5);
  // 3 × 250 ms in frames of 20 ms that do not begin with the beeps.
  expect(loud.length).toBeGreaterThanOrEqual(36);
  expect(loud.length).toBeLessThanOrEqual(40);
  expect(talk.hangUps).toEqual([{ result: 'failed', reason: 'provider-failed' }]);
  expect(talk.clock.pending).toBe(0);
});

test('a gap of more than a second is bridged by a phrase, then the model goes on', async () => {
  const providers = [new FakeProvider('a', 'at once', 'never'), new FakeProvider('b')];
  const talk = await Talk.begun({ providers });
  const before = talk.line.frames.length;
  lose(talk.session);
  await talk.pass(16_000);
  const frames = talk.line.frames.slice(before);
  const spoken = frames.findIndex((frame) => frame[0] === speakerByte);
  expect(spoken * 20).toBeLessThanOrEqual(1000);
  // It is repeated: 8 s of silence are never exceeded.
  const again = frames.findIndex((frame, i) => i > spoken + 30 && frame[0] === speakerByte);
  expect((again - spoken) * 20).toBeLessThanOrEqual(8000 + speakerDuration + 20);
  expect(providers[1]?.session.calls).toEqual(['respond']);
  expect(talk.hangUps).toEqual([]);
  talk.end();
  expect(talk.clock.pending).toBe(0);
});

test('a provider that takes too long on every attempt ends in the apology within 20 s', async () => {
  const talk = await Talk.begun({ providers: [new FakeProvider('a', 'at once', 'never')] });
  lose(talk.session);
  await talk.pass(20_000);
  expect(talk.hangUps).toEqual([{ result: 'failed', reason: 'provider-failed' }]);
  expect(talk.clock.pending).toBe(0);
});

test('a session that was asked to speak and is silent for 10 s is given up', async () => {
  const talk = await Talk.begun({ agent: { noInput: { afterSeconds: 5 } } });
  await talk.pass(5000);
  const silent = talk.session;
  expect(silent.calls).toHaveLength(1);
  await talk.pass(9800);
  expect(silent.isClosed).toBe(false);
  await talk.pass(140);
  expect(silent.isClosed).toBe(true);
  expect(talk.of('provider-lost')[0]?.code).toBe('silent');
  expect(talk.providers[0]?.session.calls).toEqual(['respond']);
  talk.end();
});

test('a session that stops in the middle of a reply is given up, one that goes on is not', async () => {
  const talk = await Talk.begun();
  const { session } = talk;
  const { reply, item } = session.begin('So', 100);
  for (let i = 0; i < 5; i++) {
    await talk.pass(4000);
    session.emit({ type: 'audio', reply, item, audio: Buffer.alloc(800, 1) });
  }
  expect(session.isClosed).toBe(false);
  await talk.pass(10_100);
  expect(session.isClosed).toBe(true);
  talk.end();
});

test('of a tool call that ran when its session was lost the next is told that its outcome is unknown', async () => {
  const talk = await Talk.begun({
    agent: {
      tools: [{ name: 'connect', transfer: { destinations: [{ name: 'k', to: 'sip:k@x' }] } }],
    },
  });
  const args = '{"destination":"k"}';
  talk.session.emit({ type: 'tool-call', callId: 'c', name: 'connect', arguments: args });
  await talk.pass(20);
  lose(talk.session);
  await talk.pass(20);
  expect(talk.session.options.history.slice(-2)).toEqual([
    { kind: 'tool-call', callId: 'c', name: 'connect', arguments: args },
    { kind: 'tool-result', callId: 'c', output: expect.stringContaining('unknown') as string },
  ]);
  talk.transfers[0]?.settle({ outcome: 'failed', status: 480, reason: 'Unavailable' });
  await talk.pass(20);
  // The new session never made the call, so it gets no result; it is asked to go on.
  expect(talk.session.calls).toEqual(['respond']);
  expect(talk.conversation.transcript().at(-1)).toMatchObject({ role: 'tool', outcome: 'failed' });
  talk.end();
});

test('no provider left during a transfer: a completed one stands, a failed one ends in the apology', async () => {
  const agent = {
    tools: [{ name: 'connect', transfer: { destinations: [{ name: 'k', to: 'sip:k@x' }] } }],
  };
  for (const outcome of ['completed', 'failed'] as const) {
    const talk = await Talk.begun({ agent });
    const args = '{"destination":"k"}';
    talk.session.emit({ type: 'tool-call', callId: 'c', name: 'connect', arguments: args });
    await talk.pass(20);
    lose(talk.session, false);
    await talk.pass(2000);
    expect(talk.hangUps).toEqual([]);
    talk.transfers[0]?.settle({ outcome, status: 480, reason: 'Unavailable' });
    await talk.pass(1000);
    expect(talk.hangUps[0]?.reason).toBe(
      outcome === 'completed' ? 'transferred' : 'provider-failed',
    );
  }
});

test('the end during a reconnection stops it', async () => {
  const talk = await Talk.begun({ providers: [new FakeProvider('a', 'at once', unavailable)] });
  lose(talk.session);
  await talk.pass(100);
  talk.end();
  await talk.pass(1000);
  expect(talk.providers[0]?.attempts).toBe(2);
  expect(talk.clock.pending).toBe(0);
});

test('a session lost during the goodbye is not replaced; the goodbye is said by the speaker', async () => {
  const talk = await Talk.begun({
    agent: { maxDurationSeconds: 60, noInput: { afterSeconds: 600 } },
  });
  await talk.skip(60_000);
  lose(talk.session);
  await talk.pass(speakerDuration + 60);
  expect(talk.providers[0]?.attempts).toBe(1);
  expect(talk.line.sounds).toContain(speakerByte);
  expect(talk.hangUps).toEqual([{ result: 'completed', reason: 'max-duration' }]);
});

test('a reply that fails is asked for again; after three in a row the session is given up', async () => {
  const talk = await Talk.begun();
  const { session } = talk;
  session.hears('And?');
  for (let i = 0; i < 3; i++) {
    expect(session.isClosed).toBe(false);
    session.emit({ type: 'reply-started', reply: `f${i}` });
    session.emit({ type: 'reply-ended', reply: `f${i}`, status: 'failed' });
    await talk.pass(2020);
  }
  expect(session.calls).toEqual(['respond', 'respond']);
  expect(session.isClosed).toBe(true);
  expect(talk.of('provider-lost')[0]?.code).toBe('replies-failed');
  talk.end();
});
