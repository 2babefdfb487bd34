import { expect, test } from 'vitest';
import { Talk } from '../../test/conversation/talk.ts';
import { FakeProvider } from '../../test/support/fake-provider.ts';
import { ConnectorError } from '../base/errors.ts';

const refused = new ConnectorError('PROVIDER_REFUSED', 'bad key');
const unavailable = new ConnectorError('PROVIDER_UNAVAILABLE', 'no route');

test('the greeting is asked for while the phone rings and sounds from the first frame', async () => {
  const talk = new Talk();
  await talk.conversation.open('pcmu');
  expect(talk.session.calls).toEqual(['say Hello!']);
  talk.session.reply('Hello!', 200, 1);
  await talk.skip(3000);
  expect(talk.line.queuedBytes).toBe(0);
  talk.attach();
  await talk.pass(20);
  expect(talk.line.frames.at(-1)?.every((byte) => byte === 1)).toBe(true);
  expect(talk.of('first-audio')).toEqual([{ type: 'first-audio', after: 0 }]);
  talk.end();
});

test('a greeting that comes after the answer is measured from there', async () => {
  const talk = new Talk();
  await talk.conversation.open('pcmu');
  talk.attach();
  await talk.pass(140);
  talk.session.reply('Hello!', 200);
  expect(talk.of('first-audio')).toEqual([{ type: 'first-audio', after: 140 }]);
  talk.end();
});

test('without a greeting the caller speaks first', async () => {
  const talk = new Talk({ agent: { greeting: undefined } });
  await talk.conversation.open('pcmu');
  talk.attach();
  await talk.pass(100);
  expect(talk.session.calls).toEqual([]);
  talk.end();
});

test('the session is told format, instructions and tools, and no history', async () => {
  const talk = new Talk({ agent: { tools: [{ name: 'bye', hangUp: {} }] } });
  await talk.conversation.open('pcma');
  expect(talk.session.options).toMatchObject({
    format: 'pcma',
    instructions: 'Be kind.',
    tools: [{ name: 'bye' }],
    history: [],
  });
  talk.end();
});

test('a provider that fails is passed over for the next', async () => {
  const providers = [new FakeProvider('first', refused), new FakeProvider('second')];
  const talk = new Talk({ providers });
  await talk.conversation.open('pcmu');
  expect(talk.of('session-opened')).toEqual([
    { type: 'session-opened', provider: 'second', took: 0, isResumed: false },
  ]);
  expect(talk.of('provider-lost')).toEqual([
    { type: 'provider-lost', provider: 'first', code: 'PROVIDER_REFUSED' },
  ]);
  talk.end();
});

test('a provider that does not open in 5 s is passed over', async () => {
  const providers = [new FakeProvider('slow', 'never'), new FakeProvider('second')];
  const talk = new Talk({ providers });
  const open = talk.conversation.open('pcmu');
  await talk.skip(5000);
  await open;
  expect(talk.of('provider-lost')[0]?.code).toBe('PROVIDER_TIMEOUT');
  talk.end();
  expect(talk.clock.pending).toBe(0);
});

test('when none opens, open rejects with the last error and each was tried once', async () => {
  const providers = [new FakeProvider('a', refused), new FakeProvider('b', unavailable)];
  const talk = new Talk({ providers });
  await expect(talk.conversation.open('pcmu')).rejects.toBe(unavailable);
  expect(providers.map(({ attempts }) => attempts)).toEqual([1, 1]);
  expect(talk.hangUps).toEqual([]);
  talk.end();
  expect(talk.clock.pending).toBe(0);
});

test.each(['before', 'after'])(
  'a caller who is answered %s no provider opened hears the apology',
  async (when) => {
    const talk = new Talk({ providers: [new FakeProvider('a', refused)] });
    if (when === 'before') talk.attach();
    await expect(talk.conversation.open('pcmu')).rejects.toBe(refused);
    if (when === 'after') talk.attach();
    await talk.pass(700);
    expect(talk.line.sounds).toEqual([0x33]);
    expect(talk.hangUps).toEqual([{ result: 'failed', reason: 'provider-failed' }]);
  },
);

test('the end during open closes the attempt and open rejects', async () => {
  const talk = new Talk({ providers: [new FakeProvider('slow', 'never')] });
  const open = talk.conversation.open('pcmu');
  talk.end();
  await expect(open).rejects.toMatchObject({ code: 'CALL_GONE' });
  expect(talk.clock.pending).toBe(0);
  expect(talk.of('ended')).toHaveLength(1);
});

test('a session that opens although the call is over is closed', async () => {
  const talk = new Talk();
  const open = talk.conversation.open('pcmu');
  talk.end();
  await expect(open).rejects.toMatchObject({ code: 'CALL_GONE' });
  expect(talk.providers[0]?.session.isClosed).toBe(true);
});

test("the caller's first words wait for the session, in order and not more than 10 s", async () => {
  const talk = new Talk();
  talk.attach();
  for (let second = 0; second < 12; second++)
    for (let frame = 0; frame < 50; frame++) talk.caller?.onAudio(Buffer.alloc(160, second));
  await talk.conversation.open('pcmu');
  expect(talk.session.audio.length).toBe(80_000);
  expect([...new Set(talk.session.audio)]).toEqual([2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
  talk.caller?.onAudio(Buffer.alloc(160, 99));
  expect(talk.session.audio.at(-1)).toBe(99);
  talk.end();
});

test('a session lost while the phone rings is opened again and greets', async () => {
  const talk = new Talk();
  await talk.conversation.open('pcmu');
  talk.session.emit({ type: 'lost', code: 'x', message: '', retryable: true });
  await talk.skip(0);
  expect(talk.providers[0]?.sessions).toHaveLength(2);
  expect(talk.providers[0]?.session.calls).toEqual(['say Hello!']);
  talk.end();
});

test('after the end nothing is left behind and nothing is reported', async () => {
  const talk = await Talk.begun();
  const { session } = talk;
  session.begin('I was about to say', 1000);
  await talk.pass(100);
  talk.end();
  talk.end();
  expect(session.isClosed).toBe(true);
  expect(talk.clock.pending).toBe(0);
  expect(talk.of('ended')).toEqual([
    { type: 'ended', termination: { result: 'completed', reason: 'caller-hung-up' } },
  ]);
  const count = talk.events.length;
  session.reply('late', 100);
  talk.caller?.onAudio(Buffer.alloc(160));
  talk.caller?.onDigit('1', 100);
  talk.caller?.onPlayed();
  talk.conversation.hold(true);
  expect(talk.events).toHaveLength(count);
  expect(talk.hangUps).toEqual([]);
  expect(talk.conversation.transcript().at(-1)).toMatchObject({
    role: 'agent',
    heard: 100,
    isInterrupted: true,
  });
});
