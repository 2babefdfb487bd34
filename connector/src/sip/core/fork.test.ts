import { expect, test } from 'vitest';
import { expectNothingLeft, pair } from '../../../test/sip/pair.ts';
import { header, headers } from '../message/headers.ts';
import type { SipMessage } from '../message/message.ts';

/** A response of a fork to the last INVITE on the wire. */
function response(invite: SipMessage, [status, tag]: [number, string], extra: string[] = []) {
  return [
    `SIP/2.0 ${status} X`,
    ...headers(invite, 'via').map((via) => `Via: ${via}`),
    `From: ${header(invite, 'from')}`,
    `To: ${header(invite, 'to')};tag=${tag}`,
    `Call-ID: ${header(invite, 'call-id')}`,
    `CSeq: ${header(invite, 'cseq')}`,
    `Contact: <sip:${tag}@192.0.2.2>`,
    ...extra,
  ];
}

async function forked() {
  const given = pair();
  const { clock, wire, caller } = given;
  // The real callee stays silent.
  wire.fate = ({ to }) => (to === '2' ? [] : [10]);
  const { dialog } = await caller.invite('2');
  const invite = wire.messages[0]!.message;
  const ring = (status: number, tag: string, ...extra: string[]) =>
    wire.inject('1', response(invite, [status, tag], extra), '2');
  await clock.advanceAsync(20);
  return { ...given, dialog, ring };
}

test('early dialogs of all forks have one id; the first 2xx wins', async () => {
  const { clock, wire, caller, dialog, ring } = await forked();
  ring(180, 'a');
  ring(183, 'b');
  ring(200, 'b');
  expect(caller.responses.map((each) => each.dialog)).toEqual([dialog, dialog, dialog]);
  wire.take();
  const ack = await caller.within(dialog, 'ACK');
  expect(ack.text.toString()).toMatch(/^ACK sip:b@192\.0\.2\.2 /);
  const bye = await caller.within(dialog, 'BYE');
  expect(bye.text.toString()).toContain(';tag=b\r\n');
  await clock.advanceAsync(33_000);
  expect(caller.take()).toEqual(['180 INVITE', '183 INVITE', '200 INVITE', '408 BYE', 'ended']);
});

test('who answers with ever new tags makes a bounded number of early dialogs', async () => {
  const given = await forked();
  const { caller, dialog, ring } = given;
  for (let each = 0; each < 200; each++) ring(180, `tag-${each}`);
  expect(caller.take()).toHaveLength(200);
  expect(caller.agent.dialogs()).toHaveLength(64);
  ring(200, 'tag-199');
  expect(caller.agent.dialogs().map(({ remoteTag }) => remoteTag)).toEqual(['tag-199']);
  await caller.within(dialog, 'ACK');
  await caller.within(dialog, 'BYE');
  await expectNothingLeft(given);
});

test('a second 2xx is acknowledged and left with BYE, unseen by the application', async () => {
  const given = await forked();
  const { clock, wire, caller, dialog, ring } = given;
  ring(200, 'a');
  await caller.within(dialog, 'ACK');
  wire.take();
  ring(200, 'b');
  for (let turn = 0; turn < 5; turn++) await clock.advanceAsync(1);
  expect(
    wire.messages.map(({ message }) => 'uri' in message && `${message.method} ${message.uri}`),
  ).toEqual(['ACK sip:b@192.0.2.2', 'BYE sip:b@192.0.2.2']);
  ring(200, 'b');
  for (let turn = 0; turn < 5; turn++) await clock.advanceAsync(1);
  expect(wire.take()).toEqual(['1>2 ACK', '1>2 BYE', '1>2 ACK']);
  expect(caller.take()).toEqual(['200 INVITE']);
  await caller.within(dialog, 'BYE');
  await expectNothingLeft(given);
  expect(caller.ended).toEqual([dialog]);
});

test('the route set is that of the 2xx, the nearest proxy first', async () => {
  const { clock, wire, caller, dialog, ring } = await forked();
  ring(180, 'a', 'Record-Route: <sip:192.0.2.2;lr>');
  ring(200, 'a', 'Record-Route: <sip:far@192.0.2.9;lr>', 'Record-Route: <sip:near@192.0.2.2;lr>');
  wire.take();
  await caller.within(dialog, 'ACK');
  await clock.advanceAsync(1);
  const ack = wire.messages[0]!.message;
  expect(headers(ack, 'route')).toEqual(['<sip:near@192.0.2.2;lr>', '<sip:far@192.0.2.9;lr>']);
  expect(wire.take()).toEqual(['1>2 ACK']);
});

test('a strict router gets itself in the Request-URI and the target as last Route', async () => {
  const { clock, wire, caller, dialog, ring } = await forked();
  ring(200, 'a', 'Record-Route: <sip:far@192.0.2.9;lr>, <sip:strict@192.0.2.2>');
  wire.take();
  await caller.within(dialog, 'ACK');
  await clock.advanceAsync(1);
  const ack = wire.messages[0]!.message;
  expect('uri' in ack && ack.uri).toBe('sip:strict@192.0.2.2');
  expect(headers(ack, 'route')).toEqual(['<sip:far@192.0.2.9;lr>', '<sip:a@192.0.2.2>']);
});

test('a provisional without To tag reaches the application and makes no dialog', async () => {
  const { caller, dialog, wire } = await forked();
  const invite = wire.messages[0]!.message;
  wire.inject(
    '1',
    response(invite, [181, 'x']).map((line) => line.replace(/;tag=x$/, '')),
    '2',
  );
  expect(caller.responses[0]).toMatchObject({ dialog, message: { status: 181 } });
  await expect(caller.within(dialog, 'INFO')).rejects.toThrow('unable to find dialog');
});
