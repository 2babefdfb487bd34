import { expect, test } from 'vitest';
import type { SipRequest } from '../message/message.ts';
import { parseSipUri, type SipUri } from '../message/uri.ts';
import { Flows } from './flows.ts';

const register = (...lines: readonly (readonly [string, string])[]): SipRequest => ({
  kind: 'request',
  method: 'REGISTER',
  uri: 'sip:x.test',
  headers: lines.map(([name, value]) => ({ name, value })),
  body: Buffer.alloc(0),
});

const on = (connection: string) =>
  ({ protocol: 'ws', address: '192.0.2.1', port: 1024, connection }) as const;

function uri(text: string): SipUri {
  const parsed = parseSipUri(text);
  if (!parsed) throw new Error(`${text} is no SIP URI`);
  return parsed;
}

const ann = uri('sip:ann@x1.invalid;transport=ws');
const contact = ['Contact', '<sip:ann@X1.invalid;transport=ws>;expires=600'] as const;

test('a Contact leads to the connection that registered it last', () => {
  const flows = new Flows();
  flows.registered(register(contact), on('ws-1'));
  expect(flows.find(ann)).toEqual(on('ws-1'));
  flows.registered(register(contact), on('ws-2'));
  flows.forget('ws-1');
  expect(flows.find(ann)).toEqual(on('ws-2'));
  flows.forget('ws-2');
  expect(flows.find(ann)).toBeUndefined();
});

test.each([
  ['its expiry of 0', [['Contact', '<sip:ann@x1.invalid>;expires=0']]],
  [
    'an Expires of 0',
    [
      ['m', 'sip:ann@x1.invalid'],
      ['Expires', '0'],
    ],
  ],
  [
    '* and an Expires of 0',
    [
      ['Contact', '*'],
      ['Expires', '0'],
    ],
  ],
] as const)('a Contact is taken back by %s', (_, lines) => {
  const flows = new Flows();
  flows.registered(register(contact), on('ws-1'));
  flows.registered(register(...lines), on('ws-1'));
  expect(flows.find(ann)).toBeUndefined();
});

test('another connection takes back only what is its own', () => {
  const flows = new Flows();
  flows.registered(register(contact), on('ws-1'));
  flows.registered(register(['Contact', '*'], ['Expires', '0']), on('ws-2'));
  flows.registered(register(['Contact', '<sip:ann@x1.invalid>;expires=0']), on('ws-2'));
  expect(flows.find(ann)).toEqual(on('ws-1'));
});

test('one connection has no more than 16 Contacts', () => {
  const flows = new Flows();
  for (let at = 0; at < 20; at++) {
    flows.registered(register(['Contact', `<sip:u${at}@x1.invalid>`]), on('ws-1'));
  }
  expect(flows.find(uri('sip:u15@x1.invalid'))).toBeDefined();
  expect(flows.find(uri('sip:u16@x1.invalid'))).toBeUndefined();
});

test.each([
  'sip:trunk.example.com',
  'sip:+49301234567@trunk.example.com:5060',
  'sip:ann@192.0.2.7;transport=tcp',
])('nobody takes over %s by registering it', (text) => {
  const flows = new Flows();
  flows.registered(register(['Contact', `<${text}>`]), on('ws-1'));
  // What the URI names is the same, whatever the registration says of its transport.
  flows.registered(register(['Contact', `<${text.split(';')[0]};transport=ws>`]), on('ws-1'));
  expect(flows.find(uri(text))).toBeUndefined();
});
