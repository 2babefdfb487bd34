import { expect, test } from 'vitest';
import { Talk } from '../../test/conversation/talk.ts';

const noInput = { afterSeconds: 10, prompt: 'Still there?', attempts: 2, goodbye: 'Bye then.' };

test('a silent caller is prompted, then taken leave of, then the call ends', async () => {
  const talk = await Talk.begun({ agent: { noInput } });
  await talk.pass(9800);
  expect(talk.session.calls).toEqual([]);
  await talk.pass(200);
  expect(talk.session.calls).toEqual(['say Still there?']);
  talk.session.reply('Still there?', 1000);
  await talk.pass(10_900);
  expect(talk.session.calls).toHaveLength(1);
  await talk.pass(200);
  talk.session.reply('Still there?', 1000);
  await talk.pass(11_100);
  expect(talk.session.calls).toEqual(['say Still there?', 'say Still there?', 'say Bye then.']);
  talk.session.reply('Bye then.', 600);
  await talk.pass(560);
  expect(talk.hangUps).toEqual([]);
  await talk.pass(60);
  expect(talk.hangUps).toEqual([{ result: 'completed', reason: 'no-input' }]);
  expect(talk.clock.pending).toBe(0);
});

test.each<{ name: string; act: (talk: Talk) => void }>([
  { name: 'speech', act: (talk) => talk.session.hears('Yes') },
  { name: 'a key', act: (talk) => talk.caller?.onDigit('1', 100) },
])('$name of the caller begins the count again', async ({ act }) => {
  const talk = await Talk.begun({ agent: { noInput } });
  await talk.pass(9000);
  act(talk);
  talk.session.reply('All right.', 100);
  await talk.pass(9900);
  expect(talk.session.calls.filter((call) => call.startsWith('say'))).toEqual([]);
  await talk.pass(400);
  expect(talk.session.calls.filter((call) => call.startsWith('say'))).toEqual(['say Still there?']);
  talk.end();
});

test('nobody is prompted while the agent speaks, the caller speaks or the call is held', async () => {
  const talk = await Talk.begun({ agent: { noInput } });
  talk.session.reply('A long story', 15_000);
  await talk.pass(15_000);
  talk.session.emit({ type: 'speech-started' });
  await talk.pass(15_000);
  talk.session.emit({ type: 'speech-stopped' });
  talk.conversation.hold(true);
  await talk.skip(60_000);
  expect(talk.session.calls).toEqual([]);
  talk.conversation.hold(false);
  talk.end();
  expect(talk.clock.pending).toBe(0);
});

test('at its time limit a call is cut off with an announcement', async () => {
  const talk = await Talk.begun({
    agent: { maxDurationSeconds: 60, noInput: { afterSeconds: 600 } },
  });
  await talk.pass(59_600);
  const { item } = talk.session.begin('And another thing', 5000, 5);
  await talk.pass(200);
  expect(talk.session.calls).toEqual([
    `interrupt ${item} 80`,
    'say This call has reached its time limit. Goodbye.',
  ]);
  talk.session.emit({ type: 'speech-started' }, { type: 'speech-stopped' });
  talk.session.reply('This call has reached its time limit. Goodbye.', 1000, 6);
  await talk.pass(980);
  expect(talk.hangUps).toEqual([]);
  await talk.pass(60);
  expect(talk.hangUps).toEqual([{ result: 'completed', reason: 'max-duration' }]);
  expect(talk.clock.pending).toBe(0);
});

test('time on hold does not count', async () => {
  const talk = await Talk.begun({ agent: { maxDurationSeconds: 60 } });
  talk.conversation.hold(true);
  await talk.skip(50_000);
  talk.conversation.hold(false);
  await talk.skip(20_000);
  talk.conversation.hold(true);
  await talk.skip(50_000);
  talk.conversation.hold(false);
  await talk.skip(10_000);
  expect(talk.session.calls.filter((call) => call.includes('time limit'))).toEqual([]);
  talk.end();
});

test('a caller who never comes back from hold does not keep the call', async () => {
  const talk = await Talk.begun({ agent: { maxDurationSeconds: 60 } });
  await talk.skip(10_000);
  talk.conversation.hold(true);
  await talk.skip(59_000);
  expect(talk.session.calls.filter((call) => call.includes('time limit'))).toEqual([]);
  await talk.skip(21_000);
  expect(talk.hangUps).toEqual([{ result: 'completed', reason: 'max-duration' }]);
  expect(talk.clock.pending).toBe(0);
});

test('a goodbye that is never spoken does not keep the call', async () => {
  const talk = await Talk.begun({
    agent: { maxDurationSeconds: 60, noInput: { afterSeconds: 600 } },
  });
  await talk.skip(60_000);
  // The silent session is given up after 10 s; the speaker says the goodbye.
  await talk.pass(21_000);
  expect(talk.line.sounds).toContain(0x33);
  expect(talk.hangUps).toEqual([{ result: 'completed', reason: 'max-duration' }]);
});

test('no caller audio reaches the session during the goodbye', async () => {
  const talk = await Talk.begun({
    agent: { maxDurationSeconds: 60, noInput: { afterSeconds: 600 } },
  });
  await talk.skip(60_000);
  talk.caller?.onAudio(Buffer.alloc(160, 9));
  expect(talk.session.audio.includes(9)).toBe(false);
  talk.end();
});
