import { expect, test } from 'vitest';
import { Talk } from '../../test/conversation/talk.ts';

const tools = [
  { name: 'press', sendDigits: {} },
  { name: 'bye', hangUp: {} },
  {
    name: 'connect',
    transfer: {
      destinations: [
        { name: 'kitchen', to: 'sip:kitchen@example.com', description: 'the cooks' },
        { name: 'office', to: 'tel:+4420' },
      ],
      referredBy: 'sip:bella@example.com',
    },
  },
];
const agent = { tools };

function call(name: string, args = '{}', callId = 'call-1') {
  return { type: 'tool-call', callId, name, arguments: args } as const;
}

const transfer = call('connect', '{"destination":"kitchen"}');

test('the model is told the destinations by name', async () => {
  const talk = await Talk.begun({ agent });
  expect(talk.session.options.tools[2]).toMatchObject({
    name: 'connect',
    description: expect.stringContaining('kitchen: the cooks; office') as string,
    parameters: { properties: { destination: { enum: ['kitchen', 'office'] } } },
  });
  talk.end();
});

test('the call is hung up when the goodbye has been heard to its end', async () => {
  const talk = await Talk.begun({ agent });
  const { reply } = talk.session.begin('Goodbye!', 600, 5);
  talk.session.emit(call('bye'), { type: 'reply-ended', reply, status: 'completed' });
  talk.session.emit({ type: 'speech-started' });
  await talk.pass(580);
  expect(talk.hangUps).toEqual([]);
  await talk.pass(20);
  expect(talk.hangUps).toEqual([{ result: 'completed', reason: 'agent-hung-up' }]);
  expect(talk.line.frames.slice(-30).every((frame) => frame[0] === 5)).toBe(true);
  expect(talk.conversation.ended).toBe(true);
  expect(talk.clock.pending).toBe(0);
});

test('a goodbye whose reply never ends does not keep the call', async () => {
  const talk = await Talk.begun({ agent });
  talk.session.begin('Goodbye!', 600);
  talk.session.emit(call('bye'));
  await talk.pass(20_100);
  expect(talk.hangUps).toEqual([{ result: 'completed', reason: 'agent-hung-up' }]);
  expect(talk.clock.pending).toBe(0);
});

test('without a goodbye the call is hung up at the end of the reply', async () => {
  const talk = await Talk.begun({ agent });
  talk.session.emit({ type: 'reply-started', reply: 'r' }, call('bye'));
  expect(talk.hangUps).toEqual([]);
  talk.session.emit({ type: 'reply-ended', reply: 'r', status: 'completed' });
  expect(talk.hangUps).toHaveLength(1);
});

test('the caller who hangs up during the goodbye is not hung up again', async () => {
  const talk = await Talk.begun({ agent });
  const { reply } = talk.session.begin('Goodbye!', 600);
  talk.session.emit(call('bye'), { type: 'reply-ended', reply, status: 'completed' });
  talk.end();
  await talk.pass(1000);
  expect(talk.hangUps).toEqual([]);
});

test('a transfer begins when what was being said is heard, and nothing is said after it', async () => {
  const talk = await Talk.begun({ agent });
  const { reply } = talk.session.begin('I connect you.', 400, 5);
  talk.session.emit(transfer, { type: 'reply-ended', reply, status: 'completed' });
  await talk.pass(380);
  expect(talk.transfers).toEqual([]);
  await talk.pass(20);
  expect(talk.transfers.map(({ target }) => target)).toEqual([
    { to: 'sip:kitchen@example.com', referredBy: 'sip:bella@example.com' },
  ]);
  talk.session.reply('And one more thing', 300, 6);
  talk.caller?.onAudio(Buffer.alloc(160, 9));
  await talk.pass(30_000);
  expect(talk.line.sounds).not.toContain(6);
  expect(talk.session.audio.includes(9)).toBe(false);
  expect(talk.session.calls).toEqual(['interrupt']);
  talk.transfers[0]?.settle({ outcome: 'completed' });
  await talk.pass(20);
  expect(talk.hangUps).toEqual([{ result: 'transferred', reason: 'transferred' }]);
  expect(talk.clock.pending).toBe(0);
});

test('a transfer that fails is told to the model, which talks on', async () => {
  const talk = await Talk.begun({ agent });
  talk.session.emit({ type: 'reply-started', reply: 'r' }, transfer, {
    type: 'reply-ended',
    reply: 'r',
    status: 'completed',
  });
  talk.transfers[0]?.settle({ outcome: 'failed', status: 486, reason: 'Busy Here' });
  await talk.pass(20);
  expect(talk.session.calls).toEqual([
    'result call-1 {"error":"the transfer failed (486 Busy Here); the caller is still here"}',
    'respond',
  ]);
  talk.session.reply('They are busy.', 200, 6);
  await talk.pass(300);
  expect(talk.line.sounds).toContain(6);
  expect(talk.conversation.transcript()[1]).toMatchObject({
    role: 'tool',
    name: 'connect',
    outcome: 'failed',
  });
  expect(talk.of('tool')).toEqual([{ type: 'tool', name: 'connect', outcome: 'failed', took: 0 }]);
  talk.end();
  expect(talk.clock.pending).toBe(0);
});

test('a transfer without outcome fails after two minutes', async () => {
  const talk = await Talk.begun({ agent });
  talk.session.emit(transfer);
  await talk.skip(121_000);
  expect(talk.session.calls[0]).toContain('408 Request Timeout');
  talk.end();
  expect(talk.clock.pending).toBe(0);
});

test('the second of two transfers at once is refused', async () => {
  const talk = await Talk.begun({ agent });
  talk.session.emit(
    { type: 'reply-started', reply: 'r' },
    transfer,
    call('connect', '{"destination":"office"}', 'call-2'),
    { type: 'reply-ended', reply: 'r', status: 'completed' },
  );
  await talk.pass(20);
  expect(talk.transfers).toHaveLength(1);
  talk.end();
});

test('a caller who hangs up during a transfer ends it all', async () => {
  const talk = await Talk.begun({ agent });
  talk.session.emit(transfer);
  await talk.pass(20);
  talk.end();
  talk.transfers[0]?.settle({ outcome: 'completed' });
  await talk.pass(20);
  expect(talk.hangUps).toEqual([]);
  expect(talk.clock.pending).toBe(0);
});

test.each([
  { name: 'an unknown tool', event: call('order'), error: 'there is no such tool' },
  {
    name: 'an unknown destination',
    event: call('connect', '{}'),
    error: 'there is no such destination',
  },
  { name: 'broken JSON', event: call('connect', '{'), error: 'the arguments are not valid JSON' },
  { name: 'a list', event: call('connect', '[]'), error: 'the arguments must be a JSON object' },
])('$name is refused to the model', async ({ event, error }) => {
  const talk = await Talk.begun({ agent });
  talk.session.emit(event);
  await talk.pass(20);
  expect(talk.session.calls).toEqual([`result call-1 {"error":"${error}"}`, 'respond']);
  expect(talk.of('tool')[0]).toMatchObject({ outcome: 'refused' });
  talk.end();
});

test('several calls of a reply are answered before the model is asked to go on, once', async () => {
  const talk = await Talk.begun({ agent });
  talk.session.emit(
    { type: 'reply-started', reply: 'r' },
    call('nothing', '{}', 'a'),
    call('nothing', '{}', 'b'),
  );
  await talk.pass(20);
  expect(talk.session.calls.map((one) => one.slice(0, 8))).toEqual(['result a', 'result b']);
  talk.session.emit({ type: 'reply-ended', reply: 'r', status: 'completed' });
  expect(talk.session.calls.slice(2)).toEqual(['respond']);
  await talk.pass(100);
  expect(talk.session.calls.slice(2)).toEqual(['respond']);
  talk.end();
});

test('a result that comes while the caller speaks waits for the reply to his words', async () => {
  const talk = await Talk.begun({ agent });
  talk.session.emit({ type: 'speech-started' }, call('nothing'));
  await talk.pass(20);
  talk.session.emit({ type: 'speech-stopped' });
  await talk.pass(1900);
  expect(talk.session.calls).toHaveLength(1);
  await talk.pass(200);
  expect(talk.session.calls.slice(1)).toEqual(['respond']);
  talk.end();
});

test('a call that comes twice is carried out once', async () => {
  const talk = await Talk.begun({ agent });
  talk.session.emit(call('nothing'), call('nothing'));
  await talk.pass(20);
  expect(talk.session.calls).toHaveLength(2);
  talk.end();
});

test('the model presses keys, and is told when they are out', async () => {
  const talk = await Talk.begun({ agent });
  talk.session.emit({ type: 'reply-started', reply: 'r' }, call('press', '{"digits":"12#"}'), {
    type: 'reply-ended',
    reply: 'r',
    status: 'completed',
  });
  expect(talk.pressed.map(({ digits }) => digits)).toEqual(['12#']);
  talk.pressed[0]?.settle('sent');
  await talk.pass(20);
  expect(talk.session.calls).toEqual(['result call-1 The keys were pressed.', 'respond']);
  talk.end();
});

test.each(['', '1x', '12 3', 'é', '1'.repeat(65)])(
  'what is no key is refused: "%s"',
  async (digits) => {
    const talk = await Talk.begun({ agent });
    talk.session.emit(call('press', JSON.stringify({ digits })));
    await talk.pass(20);
    expect(talk.pressed).toEqual([]);
    expect(talk.session.calls).toContain('result call-1 {"error":"these are no keys"}');
    talk.end();
  },
);

test('keys that were not pressed are told to the model, without the keys', async () => {
  const talk = await Talk.begun({ agent });
  talk.session.emit(call('press', '{"digits":"4711"}'));
  talk.pressed[0]?.settle('held');
  await talk.pass(20);
  expect(talk.session.calls[0]).toBe(
    'result call-1 {"error":"the call is on hold; no key was pressed"}',
  );
  expect(JSON.stringify(talk.of('tool'))).not.toContain('4711');
  talk.end();
});

test('the call is not hung up while keys are on their way', async () => {
  const talk = await Talk.begun({ agent });
  talk.conversation.pressing(true);
  talk.session.emit({ type: 'reply-started', reply: 'r' }, call('bye'), {
    type: 'reply-ended',
    reply: 'r',
    status: 'completed',
  });
  await talk.pass(2000);
  expect(talk.hangUps).toEqual([]);
  talk.conversation.pressing(false);
  expect(talk.hangUps).toHaveLength(1);
  expect(talk.clock.pending).toBe(0);
});
