import { expect, test } from 'vitest';
import type { Sent, Trace } from '../sip/user-agent.ts';
import { encodeReply, type Reply } from './reply.ts';

const trace: Trace = {
  source: 'application',
  sizeBytes: 218,
  protocol: 'udp',
  address: '127.0.0.4',
  port: 5070,
  time: Date.UTC(2026, 0, 1, 8, 1, 21, 187) + 0.973,
};

const sent: Sent = {
  transaction: 'T1',
  dialog: 'in-1@x;from-tag=f1',
  text: Buffer.from('SIP/2.0 180 Ringing\r\n\r\n'),
  trace,
};

const rows: { name: string; reply: Reply; want: string }[] = [
  { name: 'route', reply: { kind: 'ok' }, want: 'm2|OK' },
  { name: 'ping', reply: { kind: 'ok', data: 'pong' }, want: 'm2|OK|pong' },
  {
    name: 'authenticate',
    reply: {
      kind: 'authenticated',
      version: 'v0.9.10',
      points: [
        { protocol: 'tcp', address: '127.0.0.1', port: 5060 },
        { protocol: 'udp', address: '10.0.0.1', port: 5060, externalHost: '192.0.2.1' },
        { protocol: 'tls', address: '::1', port: 5061 },
      ],
    },
    want: 'm2|OK|tcp/127.0.0.1:5060,udp/192.0.2.1:5060,tls/[::1]:5061|v0.9.10|tcp/127.0.0.1:5060,udp/10.0.0.1:5060,tls/[::1]:5061',
  },
  {
    name: 'a response that was sent has a dialog field',
    reply: { kind: 'response-sent', sent },
    want: 'm2|OK|application|218|udp|127.0.0.4|5070|08:01:21.187973|T1|in-1@x;from-tag=f1||Msg sent:|\r\nSIP/2.0 180 Ringing\r\n\r\n',
  },
  {
    name: 'a response that was sent outside of a dialog has an empty one',
    reply: {
      kind: 'response-sent',
      sent: { ...sent, dialog: '', trace: { ...trace, protocol: '' } },
    },
    want: 'm2|OK|application|218||127.0.0.4|5070|08:01:21.187973|T1|||Msg sent:|\r\nSIP/2.0 180 Ringing\r\n\r\n',
  },
  {
    name: 'a request that was sent has none',
    reply: {
      kind: 'request-sent',
      sent: { ...sent, text: Buffer.from('BYE sip:a SIP/2.0\r\n\r\n') },
    },
    want: 'm2|OK|application|218|udp|127.0.0.4|5070|08:01:21.187973|T1|Msg sent:|\r\nBYE sip:a SIP/2.0\r\n\r\n',
  },
  {
    name: 'the answer of a proxied branch goes on',
    reply: {
      kind: 'branch-answered',
      trace: { ...trace, source: 'network' },
      response: {
        kind: 'response',
        status: 486,
        reason: 'Busy Here',
        headers: [],
        body: Buffer.alloc(0),
      },
    },
    want: 'm2|OK|network|218|udp|127.0.0.4|5070|08:01:21.187973|||continue\r\nSIP/2.0 486 Busy Here\r\nContent-Length: 0\r\n\r\n',
  },
  { name: 'a refusal', reply: { kind: 'nok', reason: 'no\r\nway' }, want: 'm2|NOK|no way' },
  {
    name: 'the end',
    reply: { kind: 'no', reason: 'incorrect secret' },
    want: 'm2|NO|incorrect secret',
  },
];

test.each(rows)('$name', ({ reply, want }) => {
  const payload = `ID|response|${want}`;
  expect(encodeReply('ID', 'm2', reply).toString()).toBe(`${payload.length}#${payload}`);
});

/** Where drachtio-srf looks for what it needs (`drachtio-protocol.md` 4.4, 4.5, 9). */
test.each([
  { reply: rows[3]?.reply, fields: { 4: 'application', 10: 'T1', 11: 'in-1@x;from-tag=f1' } },
  { reply: rows[5]?.reply, fields: { 4: 'application', 10: 'T1', 11: 'Msg sent:' } },
  { reply: rows[6]?.reply, fields: { 4: 'network', 7: '127.0.0.4', 8: '5070', 12: 'continue' } },
])('fields stand where clients look: $fields', ({ reply, fields }) => {
  const [line = ''] = encodeReply('ID', 'm2', reply!).toString().split('\r\n');
  const found = line.split('|');
  for (const [index, value] of Object.entries(fields)) expect(found[Number(index)]).toBe(value);
});
