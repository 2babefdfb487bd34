import { ConnectorError } from '../base/errors.ts';
import type { IncomingCall } from '../calls/incoming-call.ts';
import type { Call } from './call.ts';

/**
 * Answers an incoming call: ports and SDP, 180, the conversation opened while the phone rings, then
 * 200. `prepare` comes first; its signal says that the call is over. Never rejects; every failure is a refusal with a status and the
 * end of the call.
 */
export async function answerCall(
  call: Call,
  incoming: IncomingCall,
  prepare?: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const over = new AbortController();
  call.leaveBy(({ status, headers = {} }) => {
    over.abort();
    incoming.reject({ status, headers });
  });
  incoming.onCancelled(() => call.end({ result: 'cancelled', reason: 'caller-cancelled' }));
  try {
    if (incoming.hasForeignBody) {
      throw new ConnectorError('SDP_UNSUPPORTED_TYPE', 'the body of the INVITE is no SDP');
    }
    await prepare?.(over.signal);
    if (call.isEnded) return;
    const audio = await call.openAudio();
    const sdp = incoming.offer === '' ? audio.offer() : audio.answer(incoming.offer);
    incoming.ring();
    await audio.open();
    if (call.isEnded) return;
    call.answered(await incoming.answer(sdp, call.legUser));
  } catch (error) {
    call.fail(error);
  }
}
