import { expect, test } from 'vitest';
import { Phone, sdp } from '../../../test/sip/phone.ts';
import { nameOf, Wire } from '../../../test/sip/wire.ts';
import { FakeClock } from '../../../test/support/fake-clock.ts';
import { headers, withHeaderFirst } from '../message/headers.ts';
import type { SipRequest } from '../message/message.ts';
import type { Branch, Forwarding } from '../user-agent.ts';

const ownRoute = '<sip:192.0.2.5;lr>';

/** Caller 1, callee 2, and between them server 5, which forwards everything and stays in the route. */
function chain() {
  const clock = new FakeClock();
  const wire = new Wire(clock);
  const [caller, callee, server] = ['1', '2', '5'].map(
    (name) => new Phone(wire, name, { clock }),
  ) as [Phone, Phone, Phone];
  const seen: string[] = [];
  const branches: Branch[] = [];
  const pass = (forwarding: Forwarding, copy: SipRequest, nextHop?: string) => {
    branches.push(
      forwarding.forward(copy, {
        ...(nextHop !== undefined && { nextHop }),
        onResponse: (response) => {
          seen.push(nameOf(response));
          if (response.status > 100) forwarding.reply(response);
        },
      }),
    );
  };
  server.onRequest = ({ transaction }) => {
    const forwarding = server.agent.proxy(transaction);
    forwarding.onCancel(() => branches.at(-1)?.cancel());
    const copy = withHeaderFirst(forwarding.message, 'Record-Route', ownRoute);
    pass(forwarding, copy, 'sip:192.0.2.2');
  };
  return { clock, wire, caller, callee, server, seen, branches, pass };
}

test('a call through a proxy that stays in the route', async () => {
  const { clock, wire, caller, callee, server, seen, pass } = chain();
  const { dialog } = await caller.invite('5');
  await clock.advanceAsync(50);
  const invite = callee.last('INVITE');
  expect(headers(invite.message, 'via')).toHaveLength(2);
  await callee.answer(invite, 180);
  await callee.answer(invite, 200, { body: sdp });
  await clock.advanceAsync(50);
  expect(caller.take()).toEqual(['180 INVITE', '200 INVITE']);
  expect(headers(caller.responses[1]!.message, 'via')).toHaveLength(1);
  wire.take();
  for (const forwarding of server.routed) pass(forwarding, forwarding.message);
  await caller.within(dialog, 'ACK');
  await clock.advanceAsync(20);
  const [ack] = server.routed;
  expect(ack).toMatchObject({ route: ownRoute, local: { address: '192.0.2.5' } });
  expect(headers(ack!.message, 'route')).toEqual([]);
  pass(ack!, ack!.message);
  await clock.advanceAsync(20);
  expect(callee.take()).toEqual(['INVITE', 'ACK']);
  await callee.within(dialog, 'BYE');
  await clock.advanceAsync(20);
  pass(server.routed[1]!, server.routed[1]!.message);
  await clock.advanceAsync(20);
  await caller.answer(caller.last('BYE'), 200);
  await clock.advanceAsync(50);
  expect(wire.take()).toEqual([
    '1>5 ACK',
    '5>2 ACK',
    '2>5 BYE',
    '5>1 BYE',
    '1>5 200 BYE',
    '5>2 200 BYE',
  ]);
  expect(seen).toEqual(['100 INVITE', '180 INVITE', '200 INVITE', '200 BYE']);
  expect(server.take()).toEqual(['INVITE', 'routed ACK', 'routed BYE']);
  await clock.advanceAsync(100_000);
  expect(server.agent.load()).toEqual({ transactions: 0, dialogs: 0, unanswered: 0 });
  expect(clock.pending).toBe(0);
});

test('CANCEL from upstream: 200 by the server, the branch is cancelled, its 487 goes up', async () => {
  const { clock, wire, caller, callee, server } = chain();
  const { transaction } = await caller.invite('5');
  await clock.advanceAsync(50);
  wire.take();
  await caller.agent.cancel(transaction, []);
  await clock.advanceAsync(100);
  expect(wire.take()).toEqual([
    '1>5 CANCEL',
    '5>1 200 CANCEL',
    '5>2 CANCEL',
    '2>5 200 CANCEL',
    '2>5 487 INVITE',
    '5>2 ACK',
    '5>1 487 INVITE',
    '1>5 ACK',
  ]);
  expect(caller.take()).toEqual(['487 INVITE', 'ended']);
  expect(callee.take()).toEqual(['INVITE', 'CANCEL']);
  expect(server.take()).toEqual(['INVITE']);
});

test('a branch that nobody answers ends with the stack’s 408, its upstream Via in place', async () => {
  const { clock, wire, caller, seen } = chain();
  wire.fate = ({ to }) => (to === '2' ? [] : [10]);
  await caller.invite('5');
  await clock.advanceAsync(33_000);
  expect(seen).toEqual(['408 INVITE']);
  expect(caller.take()).toEqual(['408 INVITE', 'ended']);
});

test('repeated 2xx go up each time (RFC 6026)', async () => {
  const { clock, wire, caller, callee } = chain();
  await caller.invite('5');
  await clock.advanceAsync(50);
  await callee.answer(callee.last('INVITE'), 200, { body: sdp });
  await clock.advanceAsync(1_700);
  expect(wire.log.filter((line) => line === '5>1 200 INVITE')).toHaveLength(3);
  expect(caller.take()).toEqual(['200 INVITE']);
});

test('a released request is forgotten without an answer', async () => {
  const clock = new FakeClock();
  const wire = new Wire(clock);
  const [caller, server] = ['1', '5'].map((name) => new Phone(wire, name, { clock })) as [
    Phone,
    Phone,
  ];
  server.onRequest = ({ transaction }) => server.agent.proxy(transaction).release();
  await caller.send('MESSAGE', '5');
  await clock.advanceAsync(20);
  expect(server.agent.load()).toEqual({ transactions: 0, dialogs: 0, unanswered: 0 });
});

test('what was answered, or is in a call, cannot be proxied', async () => {
  const clock = new FakeClock();
  const wire = new Wire(clock);
  const [caller, server] = ['1', '5'].map((name) => new Phone(wire, name, { clock })) as [
    Phone,
    Phone,
  ];
  await caller.invite('5');
  await clock.advanceAsync(20);
  const { transaction } = server.last('INVITE');
  await server.answer(server.last('INVITE'), 180);
  expect(() => server.agent.proxy(transaction)).toThrow(`Unknown transaction id: ${transaction}`);
  expect(() => server.agent.proxy('gone')).toThrow('Unknown transaction id: gone');
});

test('a strict router’s request gets its target back from the last Route (§16.4)', async () => {
  const { wire, server } = chain();
  wire.inject('5', [
    'BYE sip:192.0.2.5;lr SIP/2.0',
    'Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKs',
    'Route: <sip:192.0.2.7;lr>, <sip:you@192.0.2.2>',
    'From: <sip:a@b>;tag=1',
    'To: <sip:you@192.0.2.2>;tag=2',
    'Call-ID: x',
    'CSeq: 2 BYE',
  ]);
  const [routed] = server.routed;
  expect(routed?.message.uri).toBe('sip:you@192.0.2.2');
  expect(routed && headers(routed.message, 'route')).toEqual(['<sip:192.0.2.7;lr>']);
});

test('a strict next hop gets itself in the Request-URI (§16.6)', async () => {
  const { clock, wire, caller, server } = chain();
  server.onRequest = ({ transaction }) => {
    const { message, forward } = bound(server.agent.proxy(transaction));
    forward(withHeaderFirst(message, 'Route', '<sip:192.0.2.2>'), { onResponse: () => undefined });
  };
  await caller.send('MESSAGE', '5');
  await clock.advanceAsync(30);
  const copy = wire.messages.at(-1)!.message;
  expect(copy).toMatchObject({ uri: 'sip:192.0.2.2' });
  expect(headers(copy, 'route')).toEqual(['<sip:you@192.0.2.5>']);
});

function bound(forwarding: Forwarding) {
  return {
    message: forwarding.message,
    forward: (...given: Parameters<Forwarding['forward']>) => forwarding.forward(...given),
  };
}
