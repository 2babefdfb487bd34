import { expect, test } from 'vitest';
import { torture, tortureBytes } from '../../../test/fixtures/sip/rfc4475/answers.ts';
import { Phone } from '../../../test/sip/phone.ts';
import { Wire } from '../../../test/sip/wire.ts';
import { FakeClock } from '../../../test/support/fake-clock.ts';

/** Statuses that the server gives without asking the application. */
const own = new Set([416, 420]);

/** What the application says to what it is asked. */
const byApplication = 404;

/** Finals on the wire after the message came and the application has answered it. */
async function finalsOf(name: string) {
  const clock = new FakeClock();
  const wire = new Wire(clock);
  const phone = new Phone(wire, '2', { clock });
  phone.onRequest = (request) => void phone.answer(request, byApplication);
  // Responses go where the Via says; whoever is there.
  wire.acceptAll = true;
  wire.injectBytes('2', tortureBytes(name));
  await clock.advanceAsync(1);
  const statuses = wire.startLines.map((line) => Number(line.split(' ')[1]));
  await clock.advanceAsync(100_000);
  return { finals: statuses.filter((status) => status >= 200), told: phone.take(), phone, clock };
}

test.each(torture)(
  'RFC 4475 $section $name gets one final at most, and leaves nothing',
  async ({ name, parse }) => {
    const { finals, phone, clock } = await finalsOf(name);
    expect(finals.length).toBeLessThanOrEqual(1);
    expect(finals).toEqual(typeof parse === 'number' ? [parse] : finals);
    expect(phone.agent.load()).toEqual({ transactions: 0, dialogs: 0, unanswered: 0 });
    expect(clock.pending).toBe(0);
  },
);

test.each(torture.filter(({ answers }) => answers.some((status) => own.has(status))))(
  'RFC 4475 $section $name: $answers by the server itself',
  async ({ name, answers }) => {
    const { finals, told } = await finalsOf(name);
    expect(finals).toHaveLength(1);
    expect(answers).toContain(finals[0]);
    expect(told).toEqual([]);
  },
);

const forApplication =
  'intmeth esc01 escnull esc02 longreq dblreq semiuri transports mpart01 zeromf cparam01 cparam02 ' +
  'regescrt sdp01 inv2543 regaut01';

test.each(forApplication.split(' '))('%s is for the application', async (name) => {
  const { finals, told } = await finalsOf(name);
  expect(told).toHaveLength(1);
  expect(finals).toEqual([byApplication]);
});
