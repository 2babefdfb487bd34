import { expect, test } from 'vitest';
import type { SipRequest, SipResponse } from '../message/message.ts';
import { parseMessage } from '../message/parse.ts';
import type { Received } from '../transport/transport.ts';
import {
  confirm,
  type Dialog,
  refreshTarget,
  takeSequence,
  uacDialog,
  uasDialog,
} from './dialog.ts';
import { inDialogRequest } from './request.ts';
import { routingOf } from './routing.ts';

function parse(lines: readonly string[]) {
  const message = parseMessage(Buffer.from(`${lines.join('\r\n')}\r\n\r\n`));
  if (message.kind === 'error') throw new Error(message.problem);
  return message;
}

const common = [
  'Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1',
  'From: "Me" <sip:me@example.com>;tag=me',
  'Call-ID: call',
];

function invite(...extra: string[]): SipRequest {
  const start = 'INVITE sip:you@example.com SIP/2.0';
  return parse([
    start,
    ...common,
    'To: <sip:you@example.com>',
    'CSeq: 7 INVITE',
    ...extra,
  ]) as SipRequest;
}

function ok(status: number, ...extra: string[]): SipResponse {
  const start = `SIP/2.0 ${status} X`;
  return parse([
    start,
    ...common,
    'To: <sip:you@example.com>;tag=you',
    'CSeq: 7 INVITE',
    ...extra,
  ]) as SipResponse;
}

function from(
  address: string,
  { port = 5060, protocol = 'udp' }: { port?: number; protocol?: 'udp' | 'tcp' } = {},
): Received {
  return {
    message: invite(),
    remote: { protocol, address, port },
    local: { protocol, address: '192.0.2.9', port: 5060 },
    sizeBytes: 0,
  };
}

const start = { received: from('192.0.2.1'), localSequence: 1, contact: '<sip:192.0.2.9>' };

test('the caller’s dialog: routes reversed, target from Contact, tags from From and To', () => {
  const request = invite('Contact: <sip:me@192.0.2.1>');
  const response = ok(
    200,
    'Contact: <sip:you@192.0.2.2?x=y>',
    'Record-Route: <sip:b;lr>, <sip:a;lr>',
  );
  expect(uacDialog(request, response, from('192.0.2.2'))).toEqual({
    id: 'call;from-tag=me',
    role: 'uac',
    kind: 'invite',
    phase: 'confirmed',
    callId: 'call',
    localTag: 'me',
    remoteTag: 'you',
    localParty: '"Me" <sip:me@example.com>;tag=me',
    remoteParty: '<sip:you@example.com>;tag=you',
    localSequence: 7,
    remoteTarget: 'sip:you@192.0.2.2',
    routeSet: ['<sip:a;lr>', '<sip:b;lr>'],
    localContact: '<sip:me@192.0.2.1>',
  });
});

test('the callee’s dialog: routes in order, the peer’s CSeq', () => {
  const request = invite('Contact: <sip:me@192.0.2.1>', 'Record-Route: <sip:b;lr>, <sip:a;lr>');
  const dialog = uasDialog(request, ok(180), start);
  expect(dialog).toMatchObject({
    id: 'call;from-tag=me',
    role: 'uas',
    phase: 'early',
    localTag: 'you',
    remoteTag: 'me',
    localSequence: 1,
    remoteSequence: 7,
    routeSet: ['<sip:b;lr>', '<sip:a;lr>'],
    localContact: '<sip:192.0.2.9>',
  });
});

test('a dialog is plain data', () => {
  const dialog = uasDialog(invite('Contact: <sip:me@10.0.0.1>'), ok(200), start);
  expect(JSON.parse(JSON.stringify(dialog))).toEqual(dialog);
});

test('the 2xx fixes the route set anew and keeps what was counted', () => {
  const early: Dialog = {
    ...uacDialog(invite(), ok(180, 'Record-Route: <sip:x;lr>'), from('192.0.2.2')),
    localSequence: 9,
    remoteSequence: 4,
  };
  const late = uacDialog(invite(), ok(200), from('192.0.2.2'));
  expect(confirm(early, late)).toMatchObject({
    phase: 'confirmed',
    routeSet: [],
    localSequence: 9,
    remoteSequence: 4,
  });
});

test.each([
  { sequence: 8, want: 8 },
  { sequence: 7, want: 7 },
  { sequence: 6, want: undefined },
  { sequence: 2_147_483_647, want: 2_147_483_647 },
])('after CSeq 7 comes $sequence: $want', ({ sequence, want }) => {
  const dialog = uasDialog(invite(), ok(200), start);
  const info = { ...invite(), headers: [{ name: 'CSeq', value: `${sequence} INFO` }] };
  expect(takeSequence(dialog, info)?.remoteSequence).toBe(want);
});

test('a target refresh moves the target, and only that', () => {
  const dialog = uasDialog(
    invite('Contact: <sip:me@192.0.2.1>', 'Record-Route: <sip:b;lr>'),
    ok(200),
    start,
  );
  const moved = refreshTarget(dialog, invite('Contact: <sip:me@192.0.2.7>'), from('192.0.2.1'));
  expect(moved).toEqual({ ...dialog, remoteTarget: 'sip:me@192.0.2.7' });
  expect(refreshTarget(dialog, invite(), from('192.0.2.1'))).toBe(dialog);
});

test.each([
  { name: 'a right Contact', contact: 'sip:me@192.0.2.1', given: from('192.0.2.1'), want: false },
  { name: 'another host', contact: 'sip:me@10.0.0.1', given: from('192.0.2.1'), want: true },
  { name: 'another port', contact: 'sip:me@192.0.2.1:5070', given: from('192.0.2.1'), want: true },
  {
    name: 'another port of a stream',
    contact: 'sip:me@192.0.2.1',
    given: from('192.0.2.1', { protocol: 'tcp', port: 40_000 }),
    want: false,
  },
  {
    name: 'another host of a stream',
    contact: 'sip:me@10.0.0.1',
    given: from('192.0.2.1', { protocol: 'tcp', port: 40_000 }),
    want: true,
  },
  { name: 'a name', contact: 'sip:me@phone.example.com', given: from('192.0.2.1'), want: false },
  {
    name: 'a name that is none',
    contact: 'sip:me@x1.invalid',
    given: from('192.0.2.1'),
    want: true,
  },
])('requests to a caller with $name go to its source: $want', ({ contact, given, want }) => {
  const dialog = uasDialog(invite(`Contact: <${contact}>`), ok(200), { ...start, received: given });
  expect(dialog.source).toEqual(want ? given.remote : undefined);
});

test.each([
  { name: 'a right Contact', lines: ['Contact: <sip:192.0.2.2:5070>'], want: false },
  { name: 'another host', lines: ['Contact: <sip:10.0.0.1>'], want: true },
  {
    name: 'a private first route',
    lines: ['Record-Route: <sip:192.168.1.1;lr>', 'Contact: <sip:10.0.0.1>'],
    want: true,
  },
  {
    name: 'a public first route',
    lines: ['Record-Route: <sip:203.0.113.1;lr>', 'Contact: <sip:10.0.0.1>'],
    want: false,
  },
])('requests to one called with $name go to the source: $want', ({ lines, want }) => {
  const given = from('192.0.2.2');
  const dialog = uacDialog(invite(), ok(200, ...lines), given);
  expect(dialog.source).toEqual(want ? given.remote : undefined);
});

test.each([
  { name: 'no routes', routes: [], want: { uri: 'sip:t', routes: [], nextHop: 'sip:t' } },
  {
    name: 'loose',
    routes: ['<sip:a;lr>', '<sip:b>'],
    want: { uri: 'sip:t', routes: ['<sip:a;lr>', '<sip:b>'], nextHop: 'sip:a;lr' },
  },
  {
    name: 'strict',
    routes: ['<sip:a;x=1>', '<sip:b;lr>'],
    want: { uri: 'sip:a;x=1', routes: ['<sip:b;lr>', '<sip:t>'], nextHop: 'sip:a;x=1' },
  },
])('routing: $name', ({ routes, want }) => {
  expect(routingOf('sip:t', routes)).toEqual(want);
});

test('what the server owns in a draft is replaced', () => {
  const dialog = uasDialog(invite('Contact: <sip:me@192.0.2.1>'), ok(200), start);
  const headers = ['Via', 'Route', 'From', 'to', 'i', 'CSeq', 'RAck', 'l'].map((name) => ({
    name,
    value: 'x',
  }));
  const { request } = inDialogRequest(dialog, {
    method: 'INFO',
    sequence: 2,
    headers: [...headers, { name: 'X-Own', value: '1' }],
    body: Buffer.alloc(0),
  });
  expect(request.headers).toEqual([
    { name: 'Max-Forwards', value: '70' },
    { name: 'From', value: '<sip:you@example.com>;tag=you' },
    { name: 'To', value: '"Me" <sip:me@example.com>;tag=me' },
    { name: 'Call-ID', value: 'call' },
    { name: 'CSeq', value: '2 INFO' },
    { name: 'X-Own', value: '1' },
  ]);
});
