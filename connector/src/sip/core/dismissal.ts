import { uacDialog } from '../dialog/dialog.ts';
import { parseCSeq } from '../message/cseq.ts';
import { header } from '../message/headers.ts';
import type { SipRequest, SipResponse } from '../message/message.ts';
import type { Received } from '../transport/transport.ts';
import type { Core } from './core.ts';
import { credentialsOf, orderInDialog, sendBye } from './in-dialog.ts';
import { LiveDialog } from './live-dialog.ts';
import { type AckDeparture, sendStateless } from './stateless.ts';

export const emptyAck = { method: 'ACK', uri: '', headers: [], body: Buffer.alloc(0) } as const;

/** A 2xx to an INVITE of ours. */
export interface Acceptance {
  readonly request: SipRequest;
  readonly response: SipResponse;
  readonly received: Received;
}

/** §13.2.2.4: a 2xx that nobody wants is acknowledged and its call left. Resolves to the ACK. */
export function dismiss(core: Core, of: Acceptance, reason: string): Promise<AckDeparture> {
  const state = uacDialog(of.request, of.response, of.received);
  const loser = core.dialogs.find(state) ?? new LiveDialog(state, core.clock);
  const ack = acknowledge(core, loser, of.request);
  ack
    .then(() => sendBye(core, loser, reason))
    .catch(() => core.log.warn({}, 'a call that nobody wants could not be ended'));
  return ack;
}

/** An ACK without the application, with CSeq and credentials of the INVITE, or of its 2xx (§13.2.2.4). */
export function acknowledge(
  core: Core,
  live: LiveDialog,
  accepted: SipResponse | SipRequest,
): Promise<AckDeparture> {
  const { method, body } = emptyAck;
  const headers = accepted.kind === 'request' ? credentialsOf(accepted) : [];
  const sequence = parseCSeq(header(accepted, 'cseq') ?? '')?.sequence ?? 0;
  const order = orderInDialog(live, { method, sequence, headers, body });
  return live.inTurn(() => sendStateless(core, order));
}
