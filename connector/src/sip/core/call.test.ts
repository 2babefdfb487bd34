import { expect, test } from 'vitest';
import { expectNothingLeft, hangUp, lose, pair, talking } from '../../../test/sip/pair.ts';
import { otherSdp, sdp } from '../../../test/sip/phone.ts';
import { header, headers } from '../message/headers.ts';

test.each(['udp', 'tcp'] as const)(
  'a call over %s, from INVITE to BYE, leaves nothing',
  async (protocol) => {
    const given = pair(protocol);
    const { clock, wire, caller, callee } = given;
    const sent = await caller.invite('2');
    await clock.advanceAsync(20);
    const invite = callee.last('INVITE');
    const ringing = await callee.answer(invite, 180);
    const ok = await callee.answer(invite, 200, { body: sdp });
    expect([ringing.dialog, ok.dialog]).toEqual([sent.dialog, sent.dialog]);
    await clock.advanceAsync(20);
    await caller.within(sent.dialog, 'ACK');
    await clock.advanceAsync(20);
    await hangUp(given, sent.dialog);
    expect(wire.take()).toEqual([
      '1>2 INVITE',
      '2>1 100 INVITE',
      '2>1 180 INVITE',
      '2>1 200 INVITE',
      '1>2 ACK',
      '1>2 BYE',
      '2>1 200 BYE',
    ]);
    expect(caller.take()).toEqual(['180 INVITE', '200 INVITE', '200 BYE', 'ended']);
    expect(callee.take()).toEqual(['INVITE', 'ACK', 'BYE', 'ended']);
    await expectNothingLeft(given);
  },
);

test('the callee hangs up with the tags and the CSeq of its own side', async () => {
  const given = pair();
  const dialog = await talking(given);
  await hangUp(given, dialog, 'callee');
  expect(given.wire.take()).toEqual(['2>1 BYE', '1>2 200 BYE']);
  const { message } = given.caller.last('BYE');
  expect(message.uri).toBe('sip:192.0.2.1:5060');
  const invite = given.callee.last('INVITE').message;
  expect(header(message, 'to')).toBe(header(invite, 'from'));
  await expectNothingLeft(given);
});

test('ACK of an initial INVITE has its transaction, ACK of a re-INVITE has one of its own', async () => {
  const given = pair();
  const dialog = await talking(given);
  const [invite, ack] = given.callee.requests;
  expect(ack?.transaction).toBe(invite?.transaction);
  expect(ack?.dialog).toBe(dialog);
  await given.caller.within(dialog, 'INVITE', { body: otherSdp });
  await given.clock.advanceAsync(20);
  const again = given.callee.last('INVITE');
  await given.callee.answer(again, 200, { body: sdp });
  await given.clock.advanceAsync(20);
  await given.caller.within(dialog, 'ACK');
  await given.clock.advanceAsync(20);
  const second = given.callee.last('ACK');
  expect([invite?.transaction, again.transaction]).not.toContain(second.transaction);
  expect(given.wire.take()).toEqual(['1>2 INVITE', '2>1 100 INVITE', '2>1 200 INVITE', '1>2 ACK']);
  await hangUp(given, dialog);
  await expectNothingLeft(given);
});

test.each([
  { lost: '1>2 INVITE', told: ['INVITE', 'ACK'] },
  { lost: '2>1 100 INVITE', told: ['INVITE', 'ACK'] },
  { lost: '2>1 200 INVITE', told: ['INVITE', 'ACK'] },
  { lost: '1>2 ACK', told: ['INVITE', 'ACK'] },
])('a call comes about although $lost is lost twice', async ({ lost, told }) => {
  const given = pair();
  const { clock, wire, caller, callee } = given;
  wire.fate = lose(lost, 2);
  callee.onRequest = (request) => {
    if (request.message.method === 'INVITE') void callee.answer(request, 200, { body: sdp });
  };
  caller.onResponse = ({ dialog }) => void caller.within(dialog, 'ACK');
  const { dialog } = await caller.invite('2');
  await clock.advanceAsync(5_000);
  expect(callee.take()).toEqual(told);
  expect(caller.take()).toEqual(['200 INVITE']);
  caller.onResponse = () => undefined;
  await hangUp(given, dialog);
  await expectNothingLeft(given);
});

test('duplicates and late copies of everything change nothing', async () => {
  const given = pair();
  given.wire.fate = () => [10, 15, 300];
  const dialog = await talking(given);
  await hangUp(given, dialog);
  await given.clock.advanceAsync(1_000);
  expect(given.caller.take()).toEqual(['200 BYE', 'ended']);
  expect(given.callee.take()).toEqual(['BYE', 'ended']);
  await expectNothingLeft(given);
});

test('a 2xx is repeated until ACK, and without one the server says BYE', async () => {
  const given = pair();
  const { clock, wire, caller, callee } = given;
  wire.fate = (_, line) => (line === '1>2 ACK' ? [] : [10]);
  await caller.invite('2');
  await clock.advanceAsync(20);
  await callee.answer(callee.last('INVITE'), 200, { body: sdp });
  await clock.advanceAsync(31_900);
  const copies = wire.take().filter((line) => line === '2>1 200 INVITE');
  expect(copies).toHaveLength(11);
  await clock.advanceAsync(1_000);
  expect(callee.take()).toEqual(['INVITE', 'server BYE', 'ended']);
  const [bye] = callee.serverRequests;
  expect(bye && header(bye.message, 'reason')).toBe('SIP;cause=200;text="ACK timeout"');
  expect(bye?.trace.source).toBe('application');
  await caller.answer(caller.last('BYE'), 200);
  await expectNothingLeft(given);
});

test('the ACK of a repeated 2xx is the same ACK, and the application is not asked again', async () => {
  const given = pair();
  const { clock, wire, caller, callee } = given;
  const { dialog } = await caller.invite('2');
  await clock.advanceAsync(20);
  wire.fate = lose('1>2 ACK', 3);
  await callee.answer(callee.last('INVITE'), 200, { body: sdp });
  await clock.advanceAsync(20);
  const sent = await caller.within(dialog, 'ACK');
  await clock.advanceAsync(10_000);
  expect(caller.take()).toEqual(['200 INVITE']);
  const acks = wire.messages.filter(
    ({ message }) => 'method' in message && message.method === 'ACK',
  );
  expect(new Set(acks.map(({ message }) => headers(message, 'via').join())).size).toBe(1);
  expect(sent.text.toString()).toContain('ACK sip:192.0.2.2:5060 SIP/2.0');
  expect(callee.take()).toEqual(['INVITE', 'ACK']);
});

test('a call that its application never acknowledges is acknowledged and ended by the server', async () => {
  const given = pair();
  const { clock, wire, caller, callee } = given;
  await caller.invite('2');
  await clock.advanceAsync(20);
  await callee.answer(callee.last('INVITE'), 200, { body: sdp });
  wire.fate = (_, line) => (line === '2>1 BYE' ? [] : [10]);
  await clock.advanceAsync(33_000);
  expect(caller.take()).toEqual(['200 INVITE', 'server BYE', 'ended']);
  await expectNothingLeft(given);
});

test('a BYE that comes before the ACK of its own call waits for it', async () => {
  const given = pair();
  const { clock, wire, caller, callee } = given;
  const { dialog } = await caller.invite('2');
  await clock.advanceAsync(20);
  await callee.answer(callee.last('INVITE'), 200, { body: sdp });
  const bye = callee.within(dialog, 'BYE');
  await clock.advanceAsync(20);
  expect(wire.take()).not.toContain('2>1 BYE');
  await caller.within(dialog, 'ACK');
  await clock.advanceAsync(20);
  expect((await bye).text.toString()).toMatch(/^BYE /);
  expect(wire.take()).toEqual(['1>2 ACK', '2>1 BYE']);
  await caller.answer(caller.last('BYE'), 200);
  await expectNothingLeft(given);
});

test.each([302, 404, 486, 503, 603])(
  'a %i is repeated until the ACK that the server makes',
  async (status) => {
    const given = pair();
    const { clock, wire, caller, callee } = given;
    const { dialog } = await caller.invite('2');
    await clock.advanceAsync(20);
    wire.fate = lose('1>2 ACK', 2);
    await callee.answer(callee.last('INVITE'), status);
    await clock.advanceAsync(5_000);
    expect(caller.take()).toEqual([`${status} INVITE`, 'ended']);
    expect(callee.take()).toEqual(['INVITE']);
    expect(wire.log.filter((line) => line.startsWith('1>2 ACK'))).toHaveLength(3);
    await expect(caller.within(dialog, 'ACK')).rejects.toThrow(
      'ACK for non-success final response is automatically generated by server',
    );
    await expectNothingLeft(given);
  },
);

test('nobody there: 408 after 32 s, made by the stack', async () => {
  const given = pair();
  const { clock, wire, caller } = given;
  wire.fate = () => [];
  await caller.invite('2');
  await clock.advanceAsync(31_900);
  expect(caller.take()).toEqual([]);
  await clock.advanceAsync(200);
  expect(caller.take()).toEqual(['408 INVITE', 'ended']);
  expect(wire.take()).toEqual(Array.from({ length: 7 }, () => '1>2 INVITE'));
  expect(caller.responses[0]?.trace).toMatchObject({
    source: 'network',
    sizeBytes: 0,
    protocol: '',
    address: '',
    port: 0,
  });
  await expectNothingLeft(given);
});

test('an address that cannot be reached: 503 behind the echo', async () => {
  const given = pair();
  const sent = await given.caller.send('OPTIONS', '9');
  expect(given.caller.take()).toEqual([]);
  await given.clock.advanceAsync(1);
  expect(given.caller.take()).toEqual(['503 OPTIONS']);
  expect(given.caller.responses[0]?.transaction).toBe(sent.transaction);
  await expectNothingLeft(given);
});

test.each([
  { method: 'INVITE', last: '1>2 ACK' },
  { method: 'MESSAGE', last: '2>1 500 MESSAGE' },
])('an application that never answers $method: 500 after 64 s', async ({ method, last }) => {
  const given = pair('tcp');
  const { clock, wire, caller, callee } = given;
  await caller.send(method, '2');
  await clock.advanceAsync(63_000);
  const request = callee.last(method);
  expect(callee.agent.load().unanswered).toBe(1);
  await clock.advanceAsync(2_000);
  expect(callee.agent.load().unanswered).toBe(0);
  expect(wire.log.at(-1)).toBe(last);
  await expect(callee.answer(request, 200)).rejects.toThrow(
    'Response not sent due to unknown transaction',
  );
  await expectNothingLeft(given);
});

test('the CSeq of a dialog goes on from what the application began with', async () => {
  const given = pair();
  const { clock, caller, callee } = given;
  const { dialog } = await caller.invite('2', 'CSeq: 2147483000 INVITE');
  await clock.advanceAsync(20);
  await callee.answer(callee.last('INVITE'), 200, { body: sdp });
  await clock.advanceAsync(20);
  await caller.within(dialog, 'ACK');
  await caller.within(dialog, 'INFO');
  await clock.advanceAsync(20);
  expect(header(callee.last('ACK').message, 'cseq')).toBe('2147483000 ACK');
  expect(header(callee.last('INFO').message, 'cseq')).toBe('2147483001 INFO');
});

test('a re-INVITE of the one who was called belongs to the same dialog on both sides', async () => {
  const given = pair();
  const { clock, caller, callee } = given;
  const dialog = await talking(given);
  const sent = await callee.within(dialog, 'INVITE', { body: otherSdp });
  await clock.advanceAsync(20);
  const ok = await caller.answer(caller.last('INVITE'), 200, { body: sdp });
  expect([sent.dialog, caller.last('INVITE').dialog, ok.dialog]).toEqual([dialog, dialog, dialog]);
  await clock.advanceAsync(20);
  await callee.within(dialog, 'ACK');
  await clock.advanceAsync(20);
  expect(caller.take()).toEqual(['INVITE', 'ACK']);
  await hangUp(given, dialog);
  await expectNothingLeft(given);
});

test('a call that was refused may be tried again with the same CSeq', async () => {
  const { clock, wire, caller, callee } = pair();
  const extra = ['Call-ID: x', 'CSeq: 5 INVITE', 'From: <sip:me@x>;tag=1'];
  callee.onRequest = (request) => void callee.answer(request, 401);
  await caller.invite('2', ...extra);
  await clock.advanceAsync(50);
  await caller.invite('2', ...extra);
  await clock.advanceAsync(50);
  expect(wire.log).not.toContain('2>1 482 INVITE');
  expect(caller.take()).toEqual(['401 INVITE', 'ended', '401 INVITE', 'ended']);
});

test('a response goes to where its Via says when the connection is gone (§18.2.2)', async () => {
  const { clock, wire, caller, callee } = pair('tcp');
  const targets: string[] = [];
  wire.onSend = ({ connection, port }) => {
    targets.push(connection ?? String(port));
    if (connection === 'gone') throw new Error('gone');
  };
  await caller.send('MESSAGE', '2');
  await clock.advanceAsync(20);
  const { transaction } = callee.last('MESSAGE');
  expect(targets).toEqual(['5060']);
  wire.connection = 'gone';
  await caller.send('MESSAGE', '2');
  await clock.advanceAsync(20);
  await callee.answer(callee.last('MESSAGE'), 200);
  await clock.advanceAsync(20);
  expect(targets.slice(1)).toEqual(['5060', 'gone', '5060']);
  expect(caller.take()).toEqual(['200 MESSAGE']);
  expect(callee.last('MESSAGE').transaction).not.toBe(transaction);
});
