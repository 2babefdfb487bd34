import type { Calls } from '../calls/calls.ts';
import type { Termination } from '../contract/termination.ts';
import type { Call } from './call.ts';
import type { CallAudio } from './call-audio.ts';

/** A phone that rings longer is not answered by a person any more. */
const ringLimit = 60_000;

/** Dials and, once somebody answers, converses. `audio` is the call's. Never rejects. */
export async function dialCall(
  call: Call,
  audio: CallAudio,
  calls: Pick<Calls, 'dial'>,
): Promise<void> {
  const giveUp = new AbortController();
  call.leaveBy(() => giveUp.abort());
  try {
    // While the phone rings; a callee is not disturbed for an agent that cannot speak.
    await audio.open();
    if (call.isEnded) return;
    const result = await calls.dial({
      to: call.origin.to,
      from: call.origin.from,
      sdp: audio.offer(),
      timeout: ringLimit,
      signal: giveUp.signal,
      user: {
        ...call.legUser,
        // The answer is in the 200 and must be known before the sound begins.
        onConfirmed: () => undefined,
      },
    });
    if (result.outcome === 'failed') return call.end(terminationFor(result.status));
    call.answered(result.leg);
    if (call.isEnded) return;
    audio.accept(result.sdp);
    return call.legUser.onConfirmed();
  } catch (error) {
    return call.fail(error);
  }
}

function terminationFor(status: number): Termination {
  const reason = status === 408 || status === 480 ? 'no-answer' : 'callee-refused';
  return { result: 'rejected', reason };
}
