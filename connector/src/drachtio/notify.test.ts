import { expect, test } from 'vitest';
import type { Header, SipRequest, SipResponse } from '../sip/message/message.ts';
import type { Trace } from '../sip/user-agent.ts';
import { encodeNotice, type Notice } from './notify.ts';

const headers: Header[] = [
  { name: 'v', value: 'SIP/2.0/UDP 127.0.0.4:5070;rport=5070;branch=z9hG4bKx' },
  { name: 'Call-ID', value: 'in-1@x' },
  { name: 'Content-Length', value: '0' },
];

function request(method: string): SipRequest {
  return { kind: 'request', method, uri: 'sip:a@127.0.0.3', headers, body: Buffer.alloc(0) };
}

const ringing: SipResponse = {
  kind: 'response',
  status: 180,
  reason: 'Ringing',
  headers,
  body: Buffer.alloc(0),
};

const text = 'v: SIP/2.0/UDP 127.0.0.4:5070;rport=5070;branch=z9hG4bKx\r\nCall-ID: in-1@x\r\n';

/** The examples of `drachtio-protocol.md` 3.2 were seen at this time of day. */
const network: Trace = {
  source: 'network',
  sizeBytes: 260,
  protocol: 'udp',
  address: '127.0.0.4',
  port: 5070,
  time: Date.UTC(2026, 0, 1, 8, 0, 26, 846) + 0.699,
};

const rows: { name: string; notice: Notice; line: string; start: string }[] = [
  {
    name: 'a new request says where it was received',
    notice: {
      kind: 'request',
      request: {
        transaction: '05864ff0',
        dialog: '',
        message: request('OPTIONS'),
        trace: network,
        local: { protocol: 'udp', address: '127.0.0.3', port: 5060 },
      },
    },
    line: 'ID|sip|network|260|udp|127.0.0.4|5070|08:00:26.846699|05864ff0||127.0.0.3|5060|',
    start: 'OPTIONS sip:a@127.0.0.3 SIP/2.0',
  },
  {
    name: 'a request in a dialog names it',
    notice: {
      kind: 'request',
      request: {
        transaction: 'bea16ffd',
        dialog: 'in-1@x;from-tag=f1',
        message: request('INFO'),
        trace: network,
      },
    },
    line: 'ID|sip|network|260|udp|127.0.0.4|5070|08:00:26.846699|bea16ffd|in-1@x;from-tag=f1|',
    start: 'INFO sip:a@127.0.0.3 SIP/2.0',
  },
  {
    name: 'a response',
    notice: {
      kind: 'response',
      response: {
        transaction: '7af3',
        dialog: 'ea4b;from-tag=5e',
        message: ringing,
        trace: network,
      },
    },
    line: 'ID|sip|network|260|udp|127.0.0.4|5070|08:00:26.846699|7af3|ea4b;from-tag=5e|',
    start: 'SIP/2.0 180 Ringing',
  },
  {
    name: 'a request the server made is unsolicited',
    notice: {
      kind: 'server-request',
      request: {
        dialog: 'na@x;from-tag=f1',
        message: request('BYE'),
        trace: { ...network, source: 'application', sizeBytes: 278, address: '127.0.0.3' },
      },
    },
    line: 'ID|sip|application|278|udp|127.0.0.3|5070|08:00:26.846699|unsolicited|na@x;from-tag=f1|',
    start: 'BYE sip:a@127.0.0.3 SIP/2.0',
  },
  {
    name: 'an unknown protocol is an empty field, made-up responses have no address',
    notice: {
      kind: 'response',
      response: {
        transaction: 't',
        dialog: '',
        message: ringing,
        trace: { ...network, sizeBytes: 0, protocol: '', address: '', port: 0 },
      },
    },
    line: 'ID|sip|network|0|||0|08:00:26.846699|t||',
    start: 'SIP/2.0 180 Ringing',
  },
];

test.each(rows)('$name', ({ notice, line, start }) => {
  const payload = `${line}\r\n${start}\r\n${text}Content-Length: 0\r\n\r\n`;
  expect(encodeNotice('ID', notice).toString()).toBe(`${payload.length}#${payload}`);
});
