import { expect, test } from 'vitest';
import { expectNothingLeft } from '../../../test/sip/pair.ts';
import { Phone, sdp } from '../../../test/sip/phone.ts';
import { Wire } from '../../../test/sip/wire.ts';
import { FakeClock } from '../../../test/support/fake-clock.ts';

/** What is in a journal; `found` is of the process before. */
function memoryJournal(found: ReadonlyMap<string, unknown> = new Map()) {
  const values = new Map(found);
  return {
    values,
    journal: {
      found,
      put: (key: string, value: unknown) => void values.set(key, value),
      remove: (key: string) => void values.delete(key),
    },
  };
}

test('records that cannot be used are removed and stop no start', () => {
  const { journal, values } = memoryJournal(
    new Map<string, unknown>([
      ['dialog a', { state: null, session: null }],
      ['dialog b', 'text'],
      ['server c', { request: 'no SIP', remote: {} }],
      ['server d', { request: {}, remote: {} }],
      ['invite e', { invite: 'no SIP', remote: {} }],
    ]),
  );
  const clock = new FakeClock();
  const { agent } = new Phone(new Wire(clock), '1', { clock, journal });
  expect(() => agent.restore()).not.toThrow();
  expect(values.size).toBe(0);
  expect(agent.load()).toEqual({ transactions: 0, dialogs: 0, unanswered: 0 });
});

test('of a call that ends before its ACK nothing stays in the journal', async () => {
  const clock = new FakeClock();
  const wire = new Wire(clock);
  const { journal, values } = memoryJournal();
  const caller = new Phone(wire, '1', { clock, journal });
  const callee = new Phone(wire, '2', { clock });
  const { dialog } = await caller.invite('2');
  await clock.advanceAsync(20);
  await callee.answer(callee.last('INVITE'), 200, { body: sdp });
  await clock.advanceAsync(20);
  caller.agent.endDialog(dialog, 'application lost');
  await clock.advanceAsync(20);
  await expectNothingLeft({ clock, wire, caller, callee });
  expect([...values.keys()]).toEqual([]);
});
