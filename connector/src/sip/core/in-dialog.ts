import { type InDialogDraft, inDialogRequest } from '../dialog/request.ts';
import type { Header, SipRequest } from '../message/message.ts';
import { formatReason } from '../message/reason.ts';
import { withOwnHosts } from './compose.ts';
import type { Core } from './core.ts';
import type { LiveDialog } from './live-dialog.ts';
import { type Answer, type Departure, type Order, Sending, type SendingUser } from './sending.ts';

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

/** What sends a request of the server's own again after a 401 or 407; undefined for every other response. */
export function authorising(core: Core, content: Content): (answer: Answer) => Content | undefined {
  const authorise = core.authorise();
  return ({ response, request }) => {
    if (response.status !== 401 && response.status !== 407) return undefined;
    const credentials = authorise(response, request);
    return credentials && { ...content, headers: [...content.headers, ...credentials] };
  };
}

/** §13.2.2.4: the ACK carries the credentials of its INVITE. */
export function credentialsOf(invite: SipRequest): Header[] {
  return invite.headers.filter((each) => /^(?:proxy-)?authorization$/i.test(each.name));
}

/** Sends a BYE of the server's own; its response is for nobody but who challenges it. */
export function sendBye(core: Core, live: LiveDialog, text: string): Promise<Departure> {
  live.isLeaving = true;
  live.clientInvite?.withdraw();
  const reason = formatReason({ protocol: 'SIP', cause: 200, text });
  const headers = [{ name: 'Reason', value: reason }];
  const content = { method: 'BYE', headers, body: Buffer.alloc(0) };
  const again = authorising(core, content);
  const onAnswer = (answer: Answer) => {
    const authorised = again(answer);
    if (authorised) send(authorised).catch(() => undefined);
  };
  const send = (next: Content): Promise<Departure> =>
    sendInDialog(core, { live, content: next }, { onAnswer }).departure;
  return send(content);
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
