import { expect, test } from 'vitest';
import { hangUp, type Pair, talking } from '../../../test/sip/pair.ts';
import { Phone, sdp } from '../../../test/sip/phone.ts';
import { Wire } from '../../../test/sip/wire.ts';
import { FakeClock } from '../../../test/support/fake-clock.ts';
import { authorize, strongestChallenge } from '../auth/authorize.ts';
import { header, headers } from '../message/headers.ts';

const passwordOf = (user: string) => (user === 'alice' ? 'secret' : undefined);

function guarded(): Pair {
  const clock = new FakeClock();
  const wire = new Wire(clock);
  const caller = new Phone(wire, '1', { clock });
  const callee = new Phone(wire, '2', {
    clock,
    options: { auth: { realm: 'parley', passwordOf } },
  });
  return { clock, wire, caller, callee };
}

/** Authorization for the challenge that came last. */
function credentials({ caller }: Pair, method: string, password: string): string {
  const challenges = headers(caller.responses.at(-1)!.message, 'www-authenticate');
  const uri = 'sip:you@192.0.2.2';
  const request = { method, uri, cnonce: 'c', nonceCount: 1 };
  const value = authorize(
    strongestChallenge(challenges)!,
    { username: 'alice', password },
    request,
  );
  return `Authorization: ${value}`;
}

test('a caller is challenged before the application hears of it, and let in with the password', async () => {
  const given = guarded();
  const { clock, caller, callee } = given;
  await caller.invite('2');
  await clock.advanceAsync(30);
  expect(callee.take()).toEqual([]);
  expect(caller.take()).toEqual(['401 INVITE', 'ended']);
  const dialog = await talking(given, { offer: [credentials(given, 'INVITE', 'secret')] });
  expect(header(callee.last('ACK').message, 'authorization')).toBeDefined();
  // Requests inside the call are not asked again.
  await hangUp(given, dialog);
  expect(caller.take()).toEqual(['200 BYE', 'ended']);
});

test('a wrong password, and right credentials once more, are challenged again', async () => {
  const given = guarded();
  const { clock, caller, callee } = given;
  await caller.send('MESSAGE', '2');
  await clock.advanceAsync(30);
  const right = credentials(given, 'MESSAGE', 'secret');
  await caller.send('MESSAGE', '2', credentials(given, 'MESSAGE', 'guess'));
  await caller.send('MESSAGE', '2', right);
  await caller.send('MESSAGE', '2', right);
  await clock.advanceAsync(30);
  expect(callee.take()).toEqual(['MESSAGE']);
  expect(caller.take()).toEqual(['401 MESSAGE', '401 MESSAGE', '401 MESSAGE']);
});

test('OPTIONS asks only whether somebody is there', async () => {
  const { clock, caller, callee } = guarded();
  await caller.send('OPTIONS', '2');
  await clock.advanceAsync(30);
  await callee.answer(callee.last('OPTIONS'), 200, { body: sdp });
  await clock.advanceAsync(30);
  expect(caller.take()).toEqual(['200 OPTIONS']);
});
