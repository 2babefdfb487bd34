import { expect, test } from 'vitest';
import { pair, talking } from '../../../test/sip/pair.ts';
import { draft, Phone, sdp } from '../../../test/sip/phone.ts';
import { Wire } from '../../../test/sip/wire.ts';
import { FakeClock } from '../../../test/support/fake-clock.ts';
import { header, headers } from '../message/headers.ts';
import { parseMessage } from '../message/parse.ts';
import type { Sent } from '../user-agent.ts';

function messageOf(sent: Sent) {
  const message = parseMessage(sent.text);
  if (message.kind === 'error') throw new Error(message.problem);
  return message;
}

/** All values of a header in what was sent. */
function values(sent: Sent, name: string): string[] {
  return headers(messageOf(sent), name);
}

test('a request without headers gets those it needs', async () => {
  const { caller } = pair();
  const sent = await caller.agent.request(draft('INVITE', 'sip:you@192.0.2.2'));
  const names = messageOf(sent).headers.map((each) => each.name);
  expect(names).toEqual([
    'Via',
    'Max-Forwards',
    'From',
    'To',
    'Call-ID',
    'CSeq',
    'Contact',
    'Content-Length',
  ]);
  expect(values(sent, 'via')[0]).toMatch(
    /^SIP\/2\.0\/UDP 192\.0\.2\.1:5060;branch=z9hG4bK[0-9a-f]{24};rport$/,
  );
  expect(values(sent, 'max-forwards')).toEqual(['70']);
  expect(values(sent, 'from')[0]).toMatch(/^<sip:192\.0\.2\.1:5060>;tag=[0-9a-f]{16}$/);
  expect(values(sent, 'to')).toEqual(['<sip:you@192.0.2.2>']);
  expect(values(sent, 'contact')).toEqual(['<sip:192.0.2.1:5060>']);
  expect(sent).toMatchObject({
    dialog: `${values(sent, 'call-id')[0]};from-tag=${values(sent, 'from')[0]?.slice(-16)}`,
    trace: {
      source: 'application',
      sizeBytes: sent.text.length,
      protocol: 'udp',
      address: '192.0.2.1',
      port: 5060,
    },
  });
});

test('what the application says of Call-ID, CSeq, From and Max-Forwards counts', async () => {
  const { caller } = pair();
  const lines = [
    'Call-ID: mine',
    'CSeq: 17 INVITE',
    'From: "Me" <sip:me@example.com>;tag=mine',
    'To: "You" <sip:you@example.com>',
    'Max-Forwards: 5',
  ];
  const sent = await caller.agent.request(draft('INVITE', 'sip:you@192.0.2.2', { extra: lines }));
  for (const line of lines) expect(sent.text.toString()).toContain(`${line}\r\n`);
  expect(sent.dialog).toBe('mine;from-tag=mine');
});

test('a bare From gets brackets, so that the tag is not the URI’s', async () => {
  const { caller } = pair();
  const sent = await caller.agent.request(
    draft('MESSAGE', 'sip:you@192.0.2.2', { extra: ['From: sip:me@example.com'] }),
  );
  expect(values(sent, 'from')[0]).toMatch(/^<sip:me@example\.com>;tag=/);
  expect(sent.dialog).toBe('');
});

test.each([
  ['udp', 'From: "A" <sip:me@localhost>;tag=1', '"A" <sip:me@192.0.2.1:5060>;tag=1'],
  ['udp', 'To: <sip:localhost>', '<sip:192.0.2.1:5060>'],
  ['udp', 'Contact: <sip:me@localhost>', '<sip:me@192.0.2.1:5060>'],
  ['udp', 'Contact: <sip:me@localhost:9999>;+sip.ice', '<sip:me@192.0.2.1:5060>;+sip.ice'],
  ['tcp', 'Contact: <sip:me@localhost>', '<sip:me@192.0.2.1:5060;transport=tcp>'],
  ['tcp', 'Contact: <sip:me@localhost;transport=tcp>', '<sip:me@192.0.2.1:5060;transport=tcp>'],
  ['udp', 'P-Asserted-Identity: <sip:me@localhost>', '<sip:me@192.0.2.1:5060>'],
  ['udp', 'X-Else: <sip:me@localhost>', '<sip:me@localhost>'],
  ['udp', 'Contact: <sip:me@localhost.example.com>', '<sip:me@localhost.example.com>'],
] as const)('over %s "%s" becomes "%s"', async (protocol, line, want) => {
  const { caller } = pair(protocol);
  const sent = await caller.agent.request(draft('INVITE', 'sip:you@192.0.2.2', { extra: [line] }));
  expect(values(sent, line.slice(0, line.indexOf(':')))).toEqual([want]);
});

test('peers are told the external host, and requests to it are requests to myself', async () => {
  const clock = new FakeClock();
  const wire = new Wire(clock);
  const phone = new Phone(wire, '1', { clock, externalHost: 'sip.example.com' });
  const sent = await phone.agent.request(draft('INVITE', 'sip:you@192.0.2.2'));
  expect(values(sent, 'via')[0]).toMatch(/ sip\.example\.com:5060;/);
  expect(values(sent, 'contact')).toEqual(['<sip:sip.example.com:5060>']);
  await expect(phone.agent.request(draft('INVITE', 'sip:x@SIP.example.com'))).rejects.toThrow(
    'can not send request to myself',
  );
});

test('headers of the server in a draft are passed over', async () => {
  const { caller } = pair();
  const extra = ['Via: SIP/2.0/UDP x', 'Route: <sip:x>', 'Record-Route: <sip:x>', 'RSeq: 1'];
  const sent = await caller.agent.request(draft('INVITE', 'sip:you@192.0.2.2', { extra }));
  expect(values(sent, 'via')).toHaveLength(1);
  for (const name of ['route', 'record-route', 'rseq']) expect(values(sent, name)).toEqual([]);
});

test('a line break in a value smuggles nothing in', async () => {
  const { caller } = pair();
  const headersWithBreak = [{ name: 'X-Own', value: 'a\r\nRoute: <sip:evil>' }];
  const sent = await caller.agent.request({
    ...draft('MESSAGE', 'sip:you@192.0.2.2'),
    headers: headersWithBreak,
  });
  expect(values(sent, 'route')).toEqual([]);
});

test('`route` decides where a request goes and does not stand in it', async () => {
  const { clock, wire, caller } = pair();
  const sent = await caller.agent.request(draft('INVITE', 'sip:you@far.example.com'), {
    route: 'sip:192.0.2.2',
  });
  await clock.advanceAsync(20);
  expect(wire.log[0]).toBe('1>2 INVITE');
  expect(messageOf(sent)).toMatchObject({ uri: 'sip:you@far.example.com' });
  expect(values(sent, 'route')).toEqual([]);
});

test.each([
  { status: 100, want: { contact: false, routes: false, tag: false } },
  { status: 180, want: { contact: false, routes: true, tag: true } },
  { status: 200, want: { contact: true, routes: true, tag: true } },
  { status: 486, want: { contact: false, routes: false, tag: true } },
])('a $status to an INVITE has what it needs', async ({ status, want }) => {
  const { clock, wire, callee } = pair();
  wire.inject('2', [
    'INVITE sip:you@192.0.2.2 SIP/2.0',
    'Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1, SIP/2.0/UDP 192.0.2.8;branch=z9hG4bK2',
    'Record-Route: <sip:p2;lr>',
    'Record-Route: <sip:p1;lr>',
    'From: <sip:a@b>;tag=1',
    'To: sip:you@192.0.2.2',
    'Call-ID: x',
    'CSeq: 1 INVITE',
    'Contact: <sip:192.0.2.1>',
  ]);
  await clock.advanceAsync(20);
  const sent = await callee.answer(callee.last('INVITE'), status);
  expect(values(sent, 'via')).toHaveLength(2);
  expect(values(sent, 'record-route')).toEqual(want.routes ? ['<sip:p2;lr>', '<sip:p1;lr>'] : []);
  expect(values(sent, 'contact')).toEqual(want.contact ? ['<sip:192.0.2.2:5060>'] : []);
  expect(values(sent, 'to')[0]?.startsWith('<sip:you@192.0.2.2>;tag=')).toBe(want.tag);
  expect(sent.dialog).toBe('x;from-tag=1');
  expect(sent.trace).toMatchObject({ source: 'application', address: '192.0.2.1', port: 5060 });
});

test('a To tag of the application becomes the dialog’s', async () => {
  const given = pair();
  const { clock, caller, callee } = given;
  const { dialog } = await caller.invite('2');
  await clock.advanceAsync(20);
  const extra = ['To: <sip:you@192.0.2.2>;tag=mine'];
  await callee.answer(callee.last('INVITE'), 200, { body: sdp, extra });
  await clock.advanceAsync(20);
  const ack = await caller.within(dialog, 'ACK');
  expect(values(ack, 'to')[0]).toMatch(/;tag=mine$/);
  await clock.advanceAsync(20);
  expect(callee.take()).toEqual(['INVITE', 'ACK']);
});

test('a new request says where it arrived, one in a dialog does not', async () => {
  const given = pair();
  const { clock, caller, callee } = given;
  const dialog = await talking(given);
  const [invite] = callee.requests;
  expect(invite).toMatchObject({
    dialog: '',
    local: { protocol: 'udp', address: '192.0.2.2', port: 5060 },
    trace: { source: 'network', protocol: 'udp', address: '192.0.2.1', port: 5060 },
  });
  await caller.within(dialog, 'INFO');
  await clock.advanceAsync(20);
  expect(callee.last('INFO')).toMatchObject({ dialog });
  expect(callee.last('INFO')).not.toHaveProperty('local');
});

test('an app’s own request-URI in a dialog stays; a placeholder is the remote target', async () => {
  const given = pair();
  const dialog = await talking(given);
  const own = await given.caller.agent.requestInDialog(dialog, draft('INFO', 'sip:x@192.0.2.2'));
  expect(own.text.toString()).toMatch(/^INFO sip:x@192\.0\.2\.2 SIP/);
  const placed = await given.caller.within(dialog, 'OPTIONS');
  expect(placed.text.toString()).toMatch(/^OPTIONS sip:192\.0\.2\.2:5060 SIP/);
  expect(header(messageOf(placed), 'contact')).toBeUndefined();
  const refer = await given.caller.within(dialog, 'REFER', { extra: ['Refer-To: <sip:x@y>'] });
  expect(values(refer, 'contact')).toEqual(['<sip:192.0.2.1:5060>']);
});

test('a peer that is called by sips is told to call back so', async () => {
  const { caller } = pair();
  const sent = await caller.agent.request(draft('INVITE', 'sips:you@192.0.2.2'));
  expect(values(sent, 'contact')).toEqual(['<sips:192.0.2.1:5060>']);
});
