import { expect, test } from 'vitest';
import { type Pair, talking } from '../../../test/sip/pair.ts';
import { Phone } from '../../../test/sip/phone.ts';
import { Wire } from '../../../test/sip/wire.ts';
import { FakeClock } from '../../../test/support/fake-clock.ts';
import { authorize, strongestChallenge } from '../auth/authorize.ts';
import { headers } from '../message/headers.ts';

/** The callee takes requests from everybody, and watches all but those it trusts. */
function watched(trusts = false): Pair {
  const clock = new FakeClock();
  const wire = new Wire(clock);
  const caller = new Phone(wire, '1', { clock });
  const callee = new Phone(wire, '2', { clock, options: { trusts: () => trusts } });
  return { clock, wire, caller, callee };
}

const scanner = 'User-Agent: Friendly-Scanner';

test('a scanner gets no answer, and neither does its address for a minute', async () => {
  const { clock, caller, callee } = watched();
  await caller.send('OPTIONS', '2', scanner);
  await clock.advanceAsync(20_000);
  await caller.send('OPTIONS', '2');
  await clock.advanceAsync(35_000);
  expect(callee.take()).toEqual([]);
  expect(callee.agent.drops()).toMatchObject({ scanner: 1, rate: 0 });
  expect(callee.agent.drops().blocked).toBeGreaterThan(1);
  await clock.advanceAsync(10_000);
  await caller.send('OPTIONS', '2');
  await clock.advanceAsync(30);
  expect(callee.take()).toEqual(['OPTIONS']);
});

test('a trusted source is not blocked by who forges its address', async () => {
  const { clock, caller, callee } = watched(true);
  await caller.send('OPTIONS', '2', scanner);
  await caller.send('OPTIONS', '2');
  await clock.advanceAsync(30);
  expect(callee.take()).toEqual(['OPTIONS', 'OPTIONS']);
  expect(callee.agent.drops()).toEqual({ blocked: 0, scanner: 0, rate: 0, malformed: 0 });
});

test('calls that are up go on while their source is blocked', async () => {
  const given = watched();
  const { clock, caller, callee } = given;
  const dialog = await talking(given);
  callee.take();
  await caller.send('OPTIONS', '2', scanner);
  await clock.advanceAsync(30);
  await caller.within(dialog, 'INFO');
  await clock.advanceAsync(30);
  expect(callee.take()).toEqual(['INFO']);
});

test('what cannot be read is answered a number of times and then blocks its source', async () => {
  const { clock, wire, callee } = watched();
  for (let i = 0; i < 60; i++)
    wire.inject('2', ['INVITE sip:you@192.0.2.2 SIP/2.0', 'Via: SIP/2.0/UDP 192.0.2.1', 'CSeq: x']);
  await clock.advanceAsync(10);
  expect(callee.agent.drops()).toEqual({ blocked: 9, scanner: 0, rate: 0, malformed: 1 });
});

test('requests beyond the rate of their source get no answer, which blocks nobody', async () => {
  const { clock, caller, callee } = watched();
  for (let i = 0; i < 1100; i++) await caller.send('OPTIONS', '2');
  await clock.advanceAsync(30);
  expect(callee.take().length).toBeLessThan(1010);
  expect(callee.agent.drops().rate).toBeGreaterThan(90);
  expect(callee.agent.drops().blocked).toBe(0);
});

test('wrong passwords in a row block their source', async () => {
  const clock = new FakeClock();
  const wire = new Wire(clock);
  const caller = new Phone(wire, '1', { clock });
  const auth = { realm: 'parley', passwordOf: () => undefined };
  const callee = new Phone(wire, '2', { clock, options: { auth } });
  await caller.send('MESSAGE', '2');
  await clock.advanceAsync(30);
  const challenges = headers(caller.responses.at(-1)!.message, 'www-authenticate');
  const request = { method: 'MESSAGE', uri: 'sip:you@192.0.2.2', cnonce: 'c', nonceCount: 1 };
  const user = { username: 'alice', password: 'guess' };
  const value = authorize(strongestChallenge(challenges)!, user, request);
  for (let i = 0; i < 12; i++) await caller.send('MESSAGE', '2', `Authorization: ${value}`);
  await clock.advanceAsync(30);
  expect(callee.agent.drops()).toMatchObject({ blocked: 1, malformed: 0, scanner: 0 });
});
