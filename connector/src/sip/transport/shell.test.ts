import { expect, test } from 'vitest';
import { FakeClock } from '../../../test/support/fake-clock.ts';
import { silentLog } from '../../base/log.ts';
import { headers } from '../message/headers.ts';
import type { SipMessage } from '../message/message.ts';
import type { ParseError } from '../message/parse-error.ts';
import { deliver, deliverError, markSource, type Shell } from './shell.ts';
import { createCounters } from './stats.ts';
import type { Received, TransportUser } from './transport.ts';
import { defaultTransportLimits } from './transport-limits.ts';

const remote = { protocol: 'udp', address: '192.0.2.1', port: 1024 } as const;
const local = { protocol: 'udp', address: '10.0.0.1', port: 5060 } as const;

const request = (...vias: string[]): SipMessage => ({
  kind: 'request',
  method: 'OPTIONS',
  uri: 'sip:a@b',
  headers: vias.map((value) => ({ name: 'v', value })),
  body: Buffer.alloc(0),
});

const shell = (user: TransportUser): Shell => ({
  limits: defaultTransportLimits,
  clock: new FakeClock(),
  log: silentLog,
  counters: createCounters(),
  user,
});

test.each([
  ['SIP/2.0/UDP 10.0.0.9;branch=z', 'SIP/2.0/UDP 10.0.0.9;branch=z;received=192.0.2.1;rport=1024'],
  ['SIP/2.0/UDP x;rport;branch=z', 'SIP/2.0/UDP x;rport=1024;branch=z;received=192.0.2.1'],
  // What a client claims about its own source is not believed.
  ['SIP/2.0/UDP x;received=1.1.1.1;rport=7', 'SIP/2.0/UDP x;received=192.0.2.1;rport=1024'],
])('the source of %s is noted', (via, want) => {
  const marked = markSource(request(`${via}, SIP/2.0/TCP y`, 'SIP/2.0/TCP z'), remote);
  expect(headers(marked, 'via')).toEqual([want, 'SIP/2.0/TCP y', 'SIP/2.0/TCP z']);
});

test('responses stay as they are', () => {
  const got: SipMessage[] = [];
  const each = shell({ onMessage: ({ message }) => got.push(message) });
  const { headers: lines, body } = request('SIP/2.0/UDP x');
  const response: SipMessage = {
    kind: 'response',
    status: 200,
    reason: 'OK',
    headers: lines,
    body,
  };
  deliver(each, { message: response, remote, local, sizeBytes: 1 });
  expect(got).toEqual([response]);
});

test('a user that throws does not reach the socket', () => {
  const failing = shell({
    onMessage: () => {
      throw new Error('fault');
    },
  });
  const received: Received = { message: request('SIP/2.0/UDP x'), remote, local, sizeBytes: 1 };
  deliver(failing, received);
  expect(failing.counters.received.udp).toBe(1);
});

test('malformed messages are counted, and told where they may be answered', () => {
  const told: ParseError[] = [];
  const each = shell({ onMessage: () => undefined, onMalformed: (error) => told.push(error) });
  const silent: ParseError = { kind: 'error', problem: 'x', headers: [] };
  const loud: ParseError = {
    ...silent,
    status: 400,
    headers: [{ name: 'v', value: 'SIP/2.0/UDP x' }],
  };
  for (const error of [silent, loud]) deliverError(each, error, { remote, local });
  expect(each.counters.malformed).toBe(2);
  const value = 'SIP/2.0/UDP x;received=192.0.2.1;rport=1024';
  expect(told).toEqual([{ ...loud, headers: [{ name: 'v', value }] }]);
});
