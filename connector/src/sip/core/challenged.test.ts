import { expect, test } from 'vitest';
import { type Pair, talking } from '../../../test/sip/pair.ts';
import { Phone, sdp } from '../../../test/sip/phone.ts';
import { Wire } from '../../../test/sip/wire.ts';
import { FakeClock } from '../../../test/support/fake-clock.ts';
import { header } from '../message/headers.ts';
import type { SipRequest } from '../message/message.ts';
import type { Authorise } from './core.ts';

/** Knows a password for every challenge, once. */
const authorise: Authorise = () => {
  let isAnswered = false;
  return () => {
    if (isAnswered) return undefined;
    isAnswered = true;
    return [{ name: 'Authorization', value: 'Digest username="me"' }];
  };
};

/** A call in which the caller refreshes after 50 s. */
async function refreshing(): Promise<Pair> {
  const clock = new FakeClock();
  const wire = new Wire(clock);
  const given = {
    clock,
    wire,
    caller: new Phone(wire, '1', { clock, options: { authorise } }),
    callee: new Phone(wire, '2', { clock }),
  };
  const offer = ['Supported: timer', 'Session-Expires: 100;refresher=uac'];
  await talking(given, { offer });
  return given;
}

const credentialsIn = (request: SipRequest | undefined) =>
  request && header(request, 'authorization');

test('a refresh that is challenged goes out again with credentials, and so does its ACK', async () => {
  const { clock, wire, caller, callee } = await refreshing();
  callee.onRequest = (request) => {
    const { message } = request;
    if (message.method !== 'INVITE') return;
    const status = credentialsIn(message) === undefined ? 401 : 200;
    void callee.answer(request, status, status === 200 ? { body: sdp } : {});
  };
  await clock.advanceAsync(50_500);
  const sent = wire.take().filter((line) => !line.includes(' 100 '));
  expect(sent).toEqual([
    '1>2 INVITE',
    '2>1 401 INVITE',
    '1>2 ACK',
    '1>2 INVITE',
    '2>1 200 INVITE',
    '1>2 ACK',
  ]);
  expect(credentialsIn(callee.last('ACK').message)).toBe('Digest username="me"');
  await clock.advanceAsync(30_000);
  expect(caller.take()).toEqual([]);
});

test('a refresh whose credentials are refused ends with the session', async () => {
  const { clock, caller, callee } = await refreshing();
  callee.onRequest = (request) => {
    if (request.message.method === 'INVITE') void callee.answer(request, 401);
    if (request.message.method === 'BYE') void callee.answer(request, 200);
  };
  await clock.advanceAsync(100_000);
  expect(caller.take()).toEqual(['server BYE', 'ended']);
});

test('a refresh that is challenged after the end of its call does not go out again', async () => {
  const { clock, wire, callee } = await refreshing();
  const dialog = callee.last('INVITE').dialog || callee.last('ACK').dialog;
  wire.fate = (_, line) => (line === '1>2 INVITE' ? [] : [10]);
  await clock.advanceAsync(50_500);
  const invite = wire.messages.find(({ from }) => from === '1')?.message;
  const kept = (invite?.headers ?? []).filter(({ name }) =>
    /^(via|from|to|call-id|cseq)$/i.test(name),
  );
  const lines = kept.map(({ name, value }) => `${name}: ${value}`);
  await callee.within(dialog, 'BYE');
  await clock.advanceAsync(20);
  wire.take();
  wire.inject('1', ['SIP/2.0 401 Unauthorized', ...lines], '2');
  await clock.advanceAsync(20);
  expect(wire.take()).toEqual(['1>2 ACK']);
});

test('a BYE of the server that is challenged goes out again', async () => {
  const { clock, wire, callee } = await refreshing();
  callee.onRequest = (request) => {
    if (request.message.method === 'INVITE') void callee.answer(request, 500);
  };
  const byes = () =>
    wire.messages.flatMap(({ message, from }) =>
      from === '1' && message.kind === 'request' && message.method === 'BYE' ? [message] : [],
    );
  // A proxy in between asks; neither end hears of the other's.
  wire.fate = (_, line) => (line.endsWith(' BYE') ? [] : [10]);
  for (let second = 0; second < 100 && byes().length === 0; second++) {
    await clock.advanceAsync(1000);
  }
  const [bye] = byes();
  const kept = (bye?.headers ?? []).filter(({ name }) =>
    /^(via|from|to|call-id|cseq)$/i.test(name),
  );
  const lines = kept.map(({ name, value }) => `${name}: ${value}`);
  wire.inject('1', ['SIP/2.0 401 Unauthorized', ...lines], '2');
  await clock.advanceAsync(20);
  const again = byes().find((each) => credentialsIn(each) !== undefined);
  expect(credentialsIn(again)).toBe('Digest username="me"');
  expect(sequenceOf(again)).toBe(sequenceOf(bye) + 1);
});

const sequenceOf = (request: SipRequest | undefined) =>
  Number.parseInt((request && header(request, 'cseq')) ?? '', 10);
