import { type InDialogDraft, inDialogRequest } from '../dialog/request.ts';
import { formatReason } from '../message/reason.ts';
import { withOwnHosts } from './compose.ts';
import type { Core } from './core.ts';
import type { LiveDialog } from './live-dialog.ts';
import { type Departure, type Order, Sending, type SendingUser } from './sending.ts';

/** A draft without the CSeq, which the dialog gives. */
export type Content = Omit<InDialogDraft, 'sequence'>;

/** A request in a dialog as it can be sent. */
export function orderInDialog(live: LiveDialog, draft: InDialogDraft): Order {
  const { request, nextHop } = inDialogRequest(live.state, draft);
  const { source } = live.state;
  return {
    nextHop,
    compose: (local) => withOwnHosts(request, local),
    ...(source && { preferred: source }),
  };
}

/** Sends a request with the next CSeq of its dialog, after those that are on their way out. */
export function sendInDialog(
  core: Core,
  { live, content }: { live: LiveDialog; content: Content },
  user: SendingUser,
): { sending: Sending; departure: Promise<Departure> } {
  const order = orderInDialog(live, { ...content, sequence: live.nextSequence() });
  const sending = new Sending(core, order, user);
  return { sending, departure: live.inTurn(() => sending.start()) };
}

/** Sends a BYE of the server's own; its response is for nobody. */
export function sendBye(core: Core, live: LiveDialog, text: string): Promise<Departure> {
  live.isLeaving = true;
  live.clientInvite?.withdraw();
  const reason = formatReason({ protocol: 'SIP', cause: 200, text });
  const headers = [{ name: 'Reason', value: reason }];
  const content = { method: 'BYE', headers, body: Buffer.alloc(0) };
  return sendInDialog(core, { live, content }, { onAnswer: () => undefined }).departure;
}

/** Ends a dialog of the server's own accord, which the user hears of. */
export async function endByServer(core: Core, live: LiveDialog, text: string): Promise<void> {
  if (live.isEnded || live.isLeaving) return;
  try {
    const { request: message, trace } = await sendBye(core, live, text);
    if (!live.isEnded) core.user.onServerRequest({ dialog: live.id, message, trace });
  } finally {
    core.dialogs.end(live);
  }
}

/** Ends a dialog that nobody knows any more; the far end of a subscription runs into its expiry. */
export function abandon(core: Core, live: LiveDialog, text: string): void {
  if (live.state.kind === 'subscribe') {
    core.dialogs.end(live);
    return;
  }
  endByServer(core, live, text).catch(() =>
    core.log.warn({}, 'BYE of a call without application could not be sent'),
  );
}
