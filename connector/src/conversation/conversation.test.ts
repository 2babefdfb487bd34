import { array, assert, asyncProperty, constantFrom, integer } from 'fast-check';
import { expect, test } from 'vitest';
import { Talk } from '../../test/conversation/talk.ts';
import type { FakeSession } from '../../test/support/fake-provider.ts';
import { FakeProvider } from '../../test/support/fake-provider.ts';
import { ConnectorError } from '../base/errors.ts';

const unavailable = new ConnectorError('PROVIDER_UNAVAILABLE', 'no route');

const agent = {
  noInput: { afterSeconds: 5 },
  maxDurationSeconds: 120,
  tools: [
    { name: 'bye', hangUp: {} },
    { name: 'connect', transfer: { destinations: [{ name: 'k', to: 'sip:k@x' }] } },
  ],
};

/** What may happen in a call, whether or not it makes sense at that moment. */
const happenings: Record<string, (talk: Talk, session: FakeSession) => unknown> = {
  speechStarted: (_, session) => session.emit({ type: 'speech-started' }),
  speechStopped: (_, session) => session.emit({ type: 'speech-stopped' }),
  words: (_, session) =>
    session.emit({ type: 'caller-transcript', item: 'c', text: 'yes', final: true }),
  reply: (_, session) => session.reply('A reply of some words', 600),
  begin: (_, session) => session.begin('A reply of some words', 300),
  lateAudio: (_, session) =>
    session.emit({ type: 'audio', reply: 'r1', item: 'i1', audio: Buffer.alloc(800, 1) }),
  endReply: (_, session) => session.emit({ type: 'reply-ended', reply: 'r2', status: 'cancelled' }),
  failReply: (_, session) =>
    session.emit(
      { type: 'reply-started', reply: 'x' },
      { type: 'reply-ended', reply: 'x', status: 'failed' },
    ),
  fault: (_, session) => session.emit({ type: 'fault', code: 'x', message: '' }),
  bye: (_, session) =>
    session.emit({ type: 'tool-call', callId: 'b', name: 'bye', arguments: '{}' }),
  connect: (_, session) =>
    session.emit({
      type: 'tool-call',
      callId: `t${session.calls.length}`,
      name: 'connect',
      arguments: '{"destination":"k"}',
    }),
  unknownTool: (_, session) =>
    session.emit({ type: 'tool-call', callId: 'u', name: 'u', arguments: '' }),
  lost: (_, session) => session.emit({ type: 'lost', code: 'x', message: '', retryable: true }),
  refused: (_, session) => session.emit({ type: 'lost', code: 'x', message: '', retryable: false }),
  audio: (talk) => talk.caller?.onAudio(Buffer.alloc(160, 3)),
  digit: (talk) => talk.caller?.onDigit('5', 100),
  hold: (talk) => talk.conversation.hold(true),
  resume: (talk) => talk.conversation.hold(false),
  transferred: (talk) => talk.transfers.at(-1)?.settle({ outcome: 'completed' }),
  notTransferred: (talk) =>
    talk.transfers.at(-1)?.settle({ outcome: 'failed', status: 486, reason: 'Busy Here' }),
  frame: (talk) => talk.pass(20),
  second: (talk) => talk.pass(1000),
  wait: (talk) => talk.pass(11_000),
};

async function live(names: readonly string[], attachAt: number): Promise<Talk> {
  const providers = [
    new FakeProvider('a', 'at once', 'at once', unavailable, 'at once'),
    new FakeProvider('b', 'at once', 'never', 'at once'),
  ];
  const talk = new Talk({ agent, providers });
  const open = talk.conversation.open('pcmu').catch(() => undefined);
  if (attachAt > 0) await open;
  for (const [index, name] of names.entries()) {
    if (index === attachAt) talk.attach();
    const session = providers.flatMap(({ sessions }) => sessions).findLast((s) => !s.isClosed);
    if (session) await happenings[name]?.(talk, session);
  }
  await open;
  return talk;
}

test('whatever happens, a call ends once, says nothing after that, and leaves no timer', async () => {
  await assert(
    asyncProperty(
      array(constantFrom(...Object.keys(happenings)), { maxLength: 25 }),
      integer({ min: 0, max: 3 }),
      async (names, attachAt) => {
        const talk = await live(names, attachAt);
        if (!talk.conversation.ended) talk.end();
        const count = talk.events.length;
        await talk.skip(200_000);
        expect(talk.events.slice(count)).toEqual([]);
        expect(talk.events.at(-1)?.type).toBe('ended');
        expect(talk.of('ended')).toHaveLength(1);
        expect(talk.hangUps.length).toBeLessThanOrEqual(1);
        expect(talk.clock.pending).toBe(0);
        const spoken = talk.conversation.transcript().filter((turn) => turn.role === 'agent');
        expect(spoken.filter(({ heard, received }) => heard > received)).toEqual([]);
      },
    ),
    { numRuns: 300, seed: 11 },
  );
});

test('whatever happens, a call that nobody speaks in any more comes to its end by itself', async () => {
  await assert(
    asyncProperty(
      array(constantFrom(...Object.keys(happenings).filter((name) => name !== 'hold')), {
        maxLength: 12,
      }),
      async (names) => {
        const talk = await live(names, 0);
        if (talk.caller === undefined) talk.attach();
        await talk.pass(260_000);
        expect(talk.hangUps).toHaveLength(1);
        expect(talk.clock.pending).toBe(0);
      },
    ),
    { numRuns: 10, seed: 13 },
  );
});
