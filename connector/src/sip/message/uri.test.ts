import { expect, test } from 'vitest';
import {
  addressOf,
  escapeUser,
  formatUri,
  hostOf,
  parseHostPort,
  parseUri,
  unescapeUri,
} from './uri.ts';
import { effectivePort, isSameUri } from './uri-comparison.ts';

test.each([
  {
    text: 'sip:alice:secret@atlanta.example.com:5070;transport=tcp;lr?subject=x&priority=urgent',
    want: {
      kind: 'sip',
      scheme: 'sip',
      user: 'alice',
      password: 'secret',
      host: 'atlanta.example.com',
      port: 5070,
      params: [{ name: 'transport', value: 'tcp' }, { name: 'lr' }],
      headers: [
        { name: 'subject', value: 'x' },
        { name: 'priority', value: 'urgent' },
      ],
    },
  },
  {
    text: 'sips:[2001:db8::10]:5061',
    want: {
      kind: 'sip',
      scheme: 'sips',
      host: '[2001:db8::10]',
      port: 5061,
      params: [],
      headers: [],
    },
  },
  {
    text: 'sip:+14155550100;phone-context=+1;ext=7@gw.example.com;user=phone',
    want: {
      kind: 'sip',
      scheme: 'sip',
      user: '+14155550100;phone-context=+1;ext=7',
      host: 'gw.example.com',
      params: [{ name: 'user', value: 'phone' }],
      headers: [],
    },
  },
  {
    text: 'sip:*21#@pbx',
    want: { kind: 'sip', scheme: 'sip', user: '*21#', host: 'pbx', params: [], headers: [] },
  },
  {
    text: 'tel:+1-201-555-0123;phone-context=example.com',
    want: {
      kind: 'tel',
      number: '+1-201-555-0123',
      params: [{ name: 'phone-context', value: 'example.com' }],
    },
  },
  {
    text: 'urn:service:sos',
    want: { kind: 'other', scheme: 'urn', text: 'urn:service:sos' },
  },
])('$text is parsed, and formats to what it was', ({ text, want }) => {
  const uri = parseUri(text);
  expect(uri).toEqual(want);
  expect(uri && formatUri(uri)).toBe(text);
});

test.each([
  '',
  'sip:',
  'sip:@host',
  'sip::secret@host',
  'sip:a@',
  'sip:a@b@c',
  'sip:a@host:0x10',
  'sip:a@host:65536',
  'sip:a@host:',
  'sip:a@[::1',
  'sip:a@[not-an-address]',
  'sip:a@ho st',
  'sip:a@host;;lr',
  'sip:a@host?',
  'sip:a@host?flag',
  'sip:<a@host>',
  'tel:',
  'tel:alice',
  'example.com',
  '1sip:a@b',
])('%j is no URI', (text) => {
  expect(parseUri(text)).toBeUndefined();
});

test.each([
  // RFC 3261 §19.1.4.
  ['sip:%61lice@atlanta.com;transport=TCP', 'sip:alice@AtLanTa.CoM;Transport=tcp', true],
  ['sip:carol@chicago.com', 'sip:carol@chicago.com;newparam=5', true],
  ['sip:carol@chicago.com;security=on', 'sip:carol@chicago.com;newparam=5', true],
  [
    'sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com',
    'sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com',
    true,
  ],
  [
    'sip:alice@atlanta.com?subject=project%20x&priority=urgent',
    'sip:alice@atlanta.com?priority=urgent&subject=project%20x',
    true,
  ],
  ['SIP:ALICE@AtLanTa.CoM;Transport=udp', 'sip:alice@AtLanTa.CoM;Transport=UDP', false],
  ['sip:bob@biloxi.com', 'sip:bob@biloxi.com:5060', false],
  ['sip:bob@biloxi.com', 'sip:bob@biloxi.com;transport=udp', false],
  ['sip:bob@biloxi.com', 'sip:bob@biloxi.com:6000;transport=tcp', false],
  ['sip:carol@chicago.com', 'sip:carol@chicago.com?Subject=next%20meeting', false],
  ['sip:bob@phone21.boxesbybob.com', 'sip:bob@192.0.2.4', false],
  ['sip:carol@chicago.com;security=on', 'sip:carol@chicago.com;security=off', false],
  ['sip:a@b', 'sips:a@b', false],
  ['tel:+1-201-555-0123', 'tel:+12015550123', true],
  ['tel:+12015550123', 'tel:+12015550123;ext=1', false],
  ['sip:a@b', 'tel:+1', false],
  ['urn:service:sos', 'urn:service:sos', true],
])('%s and %s: same %s, in either order', (left, right, same) => {
  const [a, b] = [parseUri(left)!, parseUri(right)!];
  expect([isSameUri(a, b), isSameUri(b, a)]).toEqual([same, same]);
});

test.each([
  ['sip:a@b', 5060],
  ['sip:a@b;transport=tls', 5061],
  ['sips:a@b', 5061],
  ['sips:a@b:7', 7],
])('the port of %s is %i', (text, port) => {
  const uri = parseUri(text);
  expect(uri?.kind === 'sip' && effectivePort(uri)).toBe(port);
});

test('escapes are UTF-8, resolved once, and kept where they are broken', () => {
  expect(unescapeUri('%C3%BC%2541%zz%4')).toBe('ü%41%zz%4');
  expect(escapeUser('a b@ü#1')).toBe('a%20b%40%C3%BC%231');
});

test('IPv6 addresses get and lose their brackets', () => {
  expect([hostOf('::1'), hostOf('[::1]'), hostOf('10.0.0.1')]).toEqual([
    '[::1]',
    '[::1]',
    '10.0.0.1',
  ]);
  expect([addressOf('[::1]'), addressOf('host')]).toEqual(['::1', 'host']);
});

test('white space around the colon of a port is passed over', () => {
  expect(parseHostPort('host : 5060')).toEqual({ host: 'host', port: 5060 });
});
