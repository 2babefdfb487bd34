import { expect } from 'vitest';
import { FakeClock } from '../support/fake-clock.ts';
import { Phone, sdp } from './phone.ts';
import { type Fate, type Passage, Wire } from './wire.ts';

/** Two phones on one wire: the caller is 1, the callee 2. */
export interface Pair {
  readonly clock: FakeClock;
  readonly wire: Wire;
  readonly caller: Phone;
  readonly callee: Phone;
}

export function pair(protocol: 'udp' | 'tcp' = 'udp'): Pair {
  const clock = new FakeClock();
  const wire = new Wire(clock);
  const caller = new Phone(wire, '1', { clock, protocol });
  const callee = new Phone(wire, '2', { clock, protocol });
  return { clock, wire, caller, callee };
}

/** A call that is up; what passed until then is forgotten. Both know the dialog by the same id. */
export async function talking(
  given: Pair,
  { offer = [], answer = [] }: { offer?: string[]; answer?: string[] } = {},
): Promise<string> {
  const { clock, wire, caller, callee } = given;
  const { dialog } = await caller.invite('2', ...offer);
  await clock.advanceAsync(20);
  await callee.answer(callee.last('INVITE'), 200, { body: sdp, extra: answer });
  await clock.advanceAsync(20);
  await caller.within(dialog, 'ACK');
  await clock.advanceAsync(20);
  expect(callee.take()).toEqual(['INVITE', 'ACK']);
  expect(caller.take()).toEqual(['200 INVITE']);
  wire.take();
  return dialog;
}

/** Ends the call from one side. */
export async function hangUp(given: Pair, dialog: string, from: 'caller' | 'callee' = 'caller') {
  const [one, other] = from === 'caller' ? ['caller', 'callee'] : ['callee', 'caller'];
  await given[one as 'caller'].within(dialog, 'BYE');
  await given.clock.advanceAsync(20);
  const far = given[other as 'caller'];
  await far.answer(far.last('BYE'), 200);
  await given.clock.advanceAsync(20);
}

/** After all timers nothing may be left of what was. */
export async function expectNothingLeft({ clock, caller, callee }: Pair): Promise<void> {
  await clock.advanceAsync(100_000);
  expect(caller.agent.load()).toEqual({ transactions: 0, dialogs: 0, unanswered: 0 });
  expect(callee.agent.load()).toEqual({ transactions: 0, dialogs: 0, unanswered: 0 });
  expect(clock.pending).toBe(0);
}

/** Loses the first `times` of the named message, `2>1 200 INVITE` say. */
export function lose(name: string, times = 1): (passage: Passage, line: string) => Fate {
  let left = times;
  return (_, line) => {
    if (line !== name || left === 0) return [10];
    left--;
    return [];
  };
}
