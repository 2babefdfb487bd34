import { expect, test } from 'vitest';
import { Phone, sdp } from '../../../test/sip/phone.ts';
import { Wire } from '../../../test/sip/wire.ts';
import { FakeClock } from '../../../test/support/fake-clock.ts';

function twoPhones(protocol: 'udp' | 'tcp' = 'udp') {
  const clock = new FakeClock();
  const wire = new Wire(clock);
  const caller = new Phone(wire, '1', { clock, protocol });
  const callee = new Phone(wire, '2', { clock, protocol });
  return { clock, wire, caller, callee };
}

test.each(['udp', 'tcp'] as const)(
  'a call over %s, from INVITE to BYE, leaves nothing',
  async (protocol) => {
    const { clock, wire, caller, callee } = twoPhones(protocol);
    const sent = await caller.invite('2');
    expect(sent.text.toString()).toContain('INVITE sip:you@192.0.2.2 SIP/2.0');
    await clock.advanceAsync(20);
    const invite = callee.last('INVITE');
    const ringing = await callee.answer(invite, 180);
    const ok = await callee.answer(invite, 200, { body: sdp });
    expect(ringing.dialog).toBe(sent.dialog);
    expect(ok.dialog).toBe(sent.dialog);
    await clock.advanceAsync(20);
    await caller.within(sent.dialog, 'ACK');
    await clock.advanceAsync(20);
    await caller.within(sent.dialog, 'BYE');
    await clock.advanceAsync(20);
    await callee.answer(callee.last('BYE'), 200);
    await clock.advanceAsync(20);
    expect(wire.take()).toEqual([
      '1>2 INVITE',
      '2>1 100 INVITE',
      '2>1 180 INVITE',
      '2>1 200 INVITE',
      '1>2 ACK',
      '1>2 BYE',
      '2>1 200 BYE',
    ]);
    expect(caller.take()).toEqual(['180 INVITE', '200 INVITE', '200 BYE', 'ended']);
    expect(callee.take()).toEqual(['INVITE', 'ACK', 'BYE', 'ended']);
    await clock.advanceAsync(33_000);
    expect(caller.agent.load()).toEqual({ transactions: 0, dialogs: 0, unanswered: 0 });
    expect(callee.agent.load()).toEqual({ transactions: 0, dialogs: 0, unanswered: 0 });
    expect(clock.pending).toBe(0);
  },
);
