import { expect, test } from 'vitest';
import { seededRandom } from '../../../test/fixtures/sip/mutate.ts';
import { type Pair, pair } from '../../../test/sip/pair.ts';
import { otherSdp, type Phone, sdp } from '../../../test/sip/phone.ts';
import type { Fate } from '../../../test/sip/wire.ts';
import type { InboundRequest } from '../user-agent.ts';

/** One message of five is lost, one of five comes twice, all come late and out of order. */
function storm(random: () => number): () => Fate {
  const delay = () => 1 + Math.floor(random() * 700);
  return () => {
    const luck = random();
    if (luck < 0.2) return [];
    return luck < 0.4 ? [delay(), delay()] : [delay()];
  };
}

/** Refusals are part of the game here: the call may just have ended. */
function attempt(work: Promise<unknown>): void {
  work.catch(() => undefined);
}

/** A phone that answers everything as it should, and PRACKs. */
function attend(phone: Phone, random: () => number, { clock }: Pair): void {
  const answerInvite = (request: InboundRequest) => {
    const later = (delay: number, status: number, extra: string[] = []) =>
      clock.after(delay, () => {
        attempt(phone.answer(request, status, status === 200 ? { body: sdp } : { extra }));
      });
    later(random() * 400, 183, ['Require: 100rel']);
    later(400 + random() * 400, 180);
    later(800 + random() * 3_000, random() < 0.8 ? 200 : 486);
  };
  phone.onRequest = (request) => {
    const { method } = request.message;
    if (method === 'INVITE') answerInvite(request);
    else if (method !== 'ACK' && method !== 'CANCEL') attempt(phone.answer(request, 200));
  };
  phone.onResponse = ({ dialog, message }) => {
    const cseq = message.headers.find((each) => each.name === 'CSeq')?.value ?? '';
    if (!cseq.endsWith('INVITE')) return;
    if (message.headers.some((each) => each.name === 'RSeq'))
      attempt(phone.within(dialog, 'PRACK'));
    if (message.status >= 200 && message.status < 300) attempt(phone.within(dialog, 'ACK'));
  };
}

test.each(Array.from({ length: 60 }, (_, seed) => seed))(
  'a call through storm %i ends on both sides, once, and leaves nothing',
  async (seed) => {
    const given = pair(seed % 4 === 0 ? 'tcp' : 'udp');
    const { clock, wire, caller, callee } = given;
    const random = seededRandom(seed + 1);
    wire.fate = storm(random);
    attend(caller, random, given);
    attend(callee, random, given);
    const { dialog, transaction } = await caller.invite(
      '2',
      'Supported: 100rel, timer',
      'Session-Expires: 90;refresher=uac',
    );
    const at = (delay: number, task: () => Promise<unknown>) =>
      clock.after(delay, () => attempt(task()));
    if (random() < 0.3) at(random() * 4_000, () => caller.agent.cancel(transaction, []));
    at(5_000 + random() * 9_000, () => caller.within(dialog, 'INVITE', { body: otherSdp }));
    at(5_000 + random() * 9_000, () => callee.within(dialog, 'INVITE', { body: otherSdp }));
    at(5_000 + random() * 9_000, () => callee.within(dialog, 'INFO'));
    at(random() * 150_000, () => caller.within(dialog, 'BYE'));
    at(random() * 150_000, () => callee.within(dialog, 'BYE'));
    await clock.advanceAsync(400_000);
    const idle = { transactions: 0, dialogs: 0, unanswered: 0 };
    expect([caller.agent.load(), callee.agent.load()]).toEqual([idle, idle]);
    expect(clock.pending).toBe(0);
    expect(caller.told.some((line) => /^[2-6]\d\d INVITE$/.test(line))).toBe(true);
    expect(caller.ended).toEqual([dialog]);
    expect([[], [dialog]]).toContainEqual(callee.ended);
  },
);
