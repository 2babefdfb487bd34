import { expect, test } from 'vitest';
import {
  branchOf,
  formatVia,
  hasTransactionBranch,
  parseVia,
  responseTarget,
  withSource,
} from './via.ts';

test.each([
  ['SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bKa;rport', '10.0.0.1', 5060],
  ['SIP/2.0/TLS [2001:db8::1]:5061;branch=z9hG4bKa', '[2001:db8::1]', 5061],
  ['sip / 2.0 / tcp host : 7 ; branch = z9hG4bKa', 'host', 7],
  ['SIP/2.0/WS df7jal23ls0d.invalid;branch=z9hG4bKa', 'df7jal23ls0d.invalid', undefined],
])('%s', (text, host, port) => {
  const via = parseVia(text);
  expect([via?.host, via?.port, via && branchOf(via)]).toEqual([host, port, 'z9hG4bKa']);
});

test.each([
  '',
  'SIP/2.0/UDP',
  'SIP/3.0/UDP host',
  'HTTP/2.0/UDP host',
  'SIP/2.0/UDP host:port',
  'SIP/2.0/UDP host;',
  'SIP/2.0/UDP host;rport=x',
  'SIP/2.0/UDP host;rport=70000',
  'SIP/2.0/UDP host;ttl=256',
  'SIP/2.0/UDP host junk',
  'SIP/2.0/UDP [::1',
])('%j is refused', (text) => {
  expect(parseVia(text)).toBeUndefined();
});

test('the source of a request is noted, asked for or not', () => {
  const via = parseVia('SIP/2.0/UDP 10.0.0.1;branch=z9hG4bKa;rport')!;
  expect(formatVia(withSource(via, '192.0.2.1', 1024))).toBe(
    'SIP/2.0/UDP 10.0.0.1;branch=z9hG4bKa;rport=1024;received=192.0.2.1',
  );
});

test.each([
  ['SIP/2.0/UDP 10.0.0.1', '10.0.0.1', 5060],
  ['SIP/2.0/UDP 10.0.0.1:5080', '10.0.0.1', 5080],
  ['SIP/2.0/TLS host', 'host', 5061],
  ['SIP/2.0/UDP 10.0.0.1:5080;received=192.0.2.1', '192.0.2.1', 5080],
  ['SIP/2.0/UDP 10.0.0.1:5080;received=192.0.2.1;rport=9', '192.0.2.1', 9],
  ['SIP/2.0/UDP 10.0.0.1;maddr=224.2.0.1;received=192.0.2.1;rport=9', '224.2.0.1', 5060],
  ['SIP/2.0/UDP [::1]:5080', '::1', 5080],
])('a response to %s goes to %s port %i', (text, address, port) => {
  expect(responseTarget(parseVia(text)!)).toEqual({ address, port });
});

test.each([
  ['z9hG4bKx', true],
  ['Z9HG4BKx', true],
  ['z9hG4bK', false],
  ['other', false],
])('branch %s is a transaction id: %s', (branch, want) => {
  expect(hasTransactionBranch(parseVia(`SIP/2.0/UDP h;branch=${branch}`)!)).toBe(want);
});
