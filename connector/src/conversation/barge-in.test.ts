import { expect, test } from 'vitest';
import { Talk } from '../../test/conversation/talk.ts';

test('speech silences the agent within one frame and the provider learns what was heard', async () => {
  const talk = await Talk.begun();
  const { item } = talk.session.begin('One two three four five six seven eight nine ten', 2000, 5);
  await talk.pass(500);
  talk.session.emit({ type: 'speech-started' });
  const before = talk.line.frames.length;
  await talk.pass(100);
  expect(talk.line.frames.slice(before).every((f) => f.every((byte) => byte === 0xff))).toBe(true);
  expect(talk.session.calls).toEqual([`interrupt ${item} 500`]);
  expect(talk.of('barge-in')).toEqual([{ type: 'barge-in', by: 'speech', stoppedAfter: 0 }]);
  talk.end();
});

test('audio of the cut reply that was on its way is dropped, the next reply is played', async () => {
  const talk = await Talk.begun();
  const old = talk.session.begin('A long story', 400, 5);
  await talk.pass(100);
  talk.session.emit({ type: 'speech-started' });
  talk.session.emit({ type: 'audio', ...old, audio: Buffer.alloc(4000, 6) });
  talk.session.emit({ type: 'reply-ended', reply: old.reply, status: 'cancelled' });
  talk.session.emit({ type: 'speech-stopped' });
  const before = talk.line.frames.length;
  talk.session.reply('Sure.', 100, 7);
  talk.session.emit({ type: 'audio', ...old, audio: Buffer.alloc(4000, 6) });
  await talk.pass(1000);
  expect([...new Set(Buffer.concat(talk.line.frames.slice(before)))]).toEqual([7, 0xff]);
  talk.end();
});

test('the transcript holds what was heard: the text in proportion, to the last whole word', async () => {
  const talk = await Talk.begun();
  talk.session.begin('One two three four five six', 1000);
  await talk.pass(500);
  talk.session.hears('Wait');
  expect(talk.conversation.transcript()).toMatchObject([
    { number: 1, role: 'agent', text: 'Hello!', heardText: 'Hello!', isInterrupted: false },
    {
      number: 2,
      role: 'agent',
      text: 'One two three four five six',
      heardText: 'One two three',
      heard: 500,
      received: 1000,
      isInterrupted: true,
    },
    { number: 3, role: 'caller', text: 'Wait' },
  ]);
  talk.end();
});

test('a reply that is complete at the provider and still plays is cut', async () => {
  const talk = await Talk.begun();
  const { item } = talk.session.reply('Done long ago', 2000);
  await talk.pass(200);
  talk.session.emit({ type: 'speech-started' });
  expect(talk.session.calls).toEqual([`interrupt ${item} 200`]);
  talk.end();
});

test('speech after all was played interrupts nothing', async () => {
  const talk = await Talk.begun();
  talk.session.reply('Yes.', 200);
  await talk.pass(300);
  talk.session.emit({ type: 'speech-started' });
  expect(talk.session.calls).toEqual([]);
  expect(talk.of('barge-in')).toEqual([]);
  talk.end();
});

test('the greeting can be interrupted, and is not said again', async () => {
  const talk = new Talk();
  await talk.conversation.open('pcmu');
  talk.session.reply('Hello, this is a long greeting', 3000);
  talk.attach();
  await talk.pass(400);
  talk.session.hears('Hi');
  expect(talk.session.calls).toEqual(['say Hello!', 'interrupt i1 400']);
  talk.end();
});

test('a key during speech interrupts like speech, is recorded and passed on', async () => {
  const talk = await Talk.begun();
  const { item } = talk.session.reply('Press one or two', 1000);
  await talk.pass(200);
  talk.caller?.onDigit('1', 100);
  talk.caller?.onDigit('2', 100);
  expect(talk.session.calls).toEqual([`interrupt ${item} 200`, 'digit 1', 'digit 2']);
  expect(talk.of('barge-in')).toEqual([{ type: 'barge-in', by: 'digit', stoppedAfter: 0 }]);
  expect(talk.conversation.transcript().at(-1)).toMatchObject({ role: 'digits', digits: '12' });
  talk.end();
});

test('keys that the session does not answer by itself are answered 2 s after the last', async () => {
  const talk = await Talk.begun();
  talk.caller?.onDigit('1', 100);
  await talk.pass(1500);
  talk.caller?.onDigit('2', 100);
  await talk.pass(1900);
  expect(talk.session.calls).toEqual(['digit 1', 'digit 2']);
  await talk.pass(200);
  expect(talk.session.calls).toEqual(['digit 1', 'digit 2', 'respond']);
  talk.end();
});

test('keys that the session answers by itself are not answered twice', async () => {
  const talk = await Talk.begun();
  talk.caller?.onDigit('1', 100);
  talk.session.reply('Sales it is.', 100);
  await talk.pass(3000);
  expect(talk.session.calls).toEqual(['digit 1']);
  talk.end();
});

test('words of the caller that are written down late stand where he spoke them', async () => {
  const talk = await Talk.begun();
  talk.session.emit({ type: 'speech-started' }, { type: 'speech-stopped' });
  talk.session.reply('Fine, thanks.', 100);
  talk.session.emit(
    { type: 'caller-transcript', item: 'c', text: 'How ', final: false },
    { type: 'caller-transcript', item: 'c', text: 'are you?', final: false },
    { type: 'caller-transcript', item: 'c', text: 'How are you?', final: true },
  );
  await talk.pass(200);
  expect(talk.conversation.transcript().map((turn) => [turn.number, turn.role])).toEqual([
    [1, 'agent'],
    [2, 'caller'],
    [3, 'agent'],
  ]);
  expect(talk.of('turn').map(({ turn }) => turn)).toMatchObject([
    { role: 'caller', text: 'How are you?' },
    { role: 'agent', heardText: 'Fine, thanks.', heard: 100 },
  ]);
  talk.end();
});

test('speech that held no words leaves no turn', async () => {
  const talk = await Talk.begun();
  talk.session.emit(
    { type: 'speech-started' },
    { type: 'speech-stopped' },
    { type: 'caller-transcript', item: 'c', text: '', final: true },
  );
  expect(talk.conversation.transcript()).toHaveLength(1);
  expect(talk.of('turn')).toEqual([]);
  talk.end();
});

test('a session that leaves the caller without a reply is asked to speak after 10 s', async () => {
  const talk = await Talk.begun();
  talk.session.hears('Are you there?');
  await talk.pass(9900);
  expect(talk.session.calls).toEqual([]);
  await talk.pass(200);
  expect(talk.session.calls).toEqual(['respond']);
  talk.end();
});

test('on hold the caller is not listened to', async () => {
  const talk = await Talk.begun();
  talk.conversation.hold(true);
  talk.caller?.onAudio(Buffer.alloc(160, 1));
  talk.conversation.hold(false);
  talk.caller?.onAudio(Buffer.alloc(160, 2));
  expect([...new Set(talk.session.audio)]).toEqual([2]);
  talk.end();
});
