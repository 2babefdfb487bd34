import Srf from 'drachtio-srf';
import manifest from 'drachtio-srf/package.json' with { type: 'json' };

/**
 * For applications that are written with drachtio-srf's own dialogs: a dialog as JSON, and made anew of it
 * in another process (`dialog-restore.md` 2 and 3). Rests on what the library does not promise, so it
 * serves one version of it.
 */

const servedVersion = '5.0.29';

/** All that a dialog needs to be made anew; JSON. Take it again whenever the dialog has changed. */
export interface DialogRecord {
  /** `<Call-ID>;from-tag=<tag>`, as the SIP server names the dialog. */
  readonly id: string;
  readonly type: 'uac' | 'uas';
  /** The request it began with: INVITE or SUBSCRIBE. */
  readonly dialogType: string;
  /** Event of a SUBSCRIBE dialog, else empty. */
  readonly event: string;
  /** Request-URI of the first request. */
  readonly uri: string;
  readonly sip: { readonly callId: string; readonly localTag: string; readonly remoteTag: string };
  readonly local: { readonly uri: string; readonly sdp: string; readonly contact: string };
  readonly remote: { readonly uri: string; readonly sdp: string };
  readonly onHold: boolean;
  /** `<user>@<host>:<event>` each; empty for an INVITE dialog. */
  readonly subscriptions: readonly string[];
}

/** What the library's declarations leave out. */
interface LibraryDialog extends Srf.Dialog {
  readonly id: string;
  readonly dialogType: string;
  readonly subscribeEvent: string | null;
  local: { uri: string; sdp: string; contact: string };
  subscriptions: string[];
}

type Answer = (error: unknown, request?: unknown) => void;

/** Where a dialog sends its requests. */
interface Agent {
  request(options: object, answer: Answer): unknown;
}

interface LibraryResponse {
  msg: object;
  meta: object;
  req: object;
}

interface Statics {
  readonly SipMessage: new (parts: object) => object;
  readonly SipRequest: new (message: object, meta: object) => object;
  readonly SipResponse: new (agent: Agent) => LibraryResponse;
  readonly Dialog: new (
    srf: Srf,
    type: DialogRecord['type'],
    parts: { req: object; res: object; sent: object },
  ) => LibraryDialog;
}

interface SrfInternals {
  addDialog(dialog: Srf.Dialog): void;
  request(options: object, answer: Answer): unknown;
}

/** Throws for a dialog of another version or copy of drachtio-srf. */
export function dialogRecord(dialog: Srf.Dialog): DialogRecord {
  const library = servedLibrary();
  if (!isDialog(dialog, library)) throw new Error('this is no dialog of the same drachtio-srf');
  const { id, type, dialogType, sip, local, remote, onHold } = dialog;
  return {
    id,
    type,
    dialogType,
    event: dialog.subscribeEvent ?? '',
    uri: dialog.req.uri,
    sip: { callId: sip.callId, localTag: sip.localTag, remoteTag: sip.remoteTag },
    local: { uri: local.uri, sdp: local.sdp, contact: local.contact },
    // The library takes it for text without looking.
    remote: { uri: remote.uri, sdp: remote.sdp ?? '' },
    onHold,
    subscriptions: [...dialog.subscriptions],
  };
}

/**
 * Makes the dialog anew and gives it to `srf`, which connects by the tag (`node@…`) of the process that had
 * it. Call it before `connect`, or in the same turn, and add all listeners in that turn as well: without
 * them the library accepts whatever comes. Nothing may be sent before `connect` has happened. Throws for
 * another version or copy of drachtio-srf, and for a record whose id is not that of the dialog it describes.
 */
export function rebuildDialog(srf: Srf, record: DialogRecord): Srf.Dialog {
  const library = servedLibrary();
  if (!isSrf(srf)) throw new Error('this is no Srf of the same drachtio-srf');
  const { invite, answer } = messagesOf(library, record);
  const meta = { dialogId: record.id };
  const req = new library.SipRequest(invite, meta);
  // By way of `srf` and without a socket: always over the connection that there is at the time.
  const res = new library.SipResponse({
    request: (options, done) => srf.request({ uri: 'sip:placeholder', ...options }, done),
  });
  Object.assign(res, { msg: answer, meta, req });
  const dialog = new library.Dialog(srf, record.type, { req, res, sent: answer });
  Object.assign(dialog.local, record.local);
  Object.assign(dialog.remote, record.remote);
  Object.assign(dialog, { onHold: record.onHold, subscriptions: [...record.subscriptions] });
  requireSame(dialog, record);
  srf.addDialog(dialog);
  return dialog;
}

/** The request and the 200 that a dialog of the library is made of, with what it reads of them. */
function messagesOf(library: Statics, record: DialogRecord): { invite: object; answer: object } {
  const { type, dialogType, sip, local, remote } = record;
  const near = { contact: local.contact };
  const far = { contact: `<${remote.uri}>` };
  const [from, to] = type === 'uas' ? [far, near] : [near, far];
  const [fromTag, toTag] = tagsOf(record);
  const headers = {
    'Call-ID': sip.callId,
    from: `<sip:from@from.invalid>;tag=${fromTag}`,
    to: `<sip:to@to.invalid>;tag=${toTag}`,
    ...(dialogType === 'SUBSCRIBE' && { event: record.event }),
  };
  const invite = { method: dialogType, uri: record.uri, headers: { ...headers, ...from } };
  const answer = { status: 200, reason: 'OK', headers: { ...headers, ...to } };
  return { invite: new library.SipMessage(invite), answer: new library.SipMessage(answer) };
}

/** Of From and To of the first request. */
function tagsOf({ type, sip }: DialogRecord): [string, string] {
  return type === 'uas' ? [sip.remoteTag, sip.localTag] : [sip.localTag, sip.remoteTag];
}

function requireSame(dialog: LibraryDialog, record: DialogRecord): void {
  const [fromTag] = tagsOf(record);
  const { callId, localTag, remoteTag } = dialog.sip;
  const isSame =
    dialog.id === record.id &&
    record.id === `${callId};from-tag=${fromTag}` &&
    localTag === record.sip.localTag &&
    remoteTag === record.sip.remoteTag;
  if (!isSame) throw new Error('the record is not of the dialog that it names');
}

function servedLibrary(): Statics {
  if (manifest.version !== servedVersion) {
    throw new Error(`drachtio-srf ${manifest.version} is not ${servedVersion}, which is needed`);
  }
  const library: unknown = Srf;
  if (!isLibrary(library)) throw new Error('this is not the drachtio-srf that was expected');
  return library;
}

function isLibrary(value: unknown): value is Statics {
  return (
    typeof value === 'function' &&
    ['SipMessage', 'SipRequest', 'SipResponse', 'Dialog'].every((name) => name in value)
  );
}

function isDialog(dialog: Srf.Dialog, library: Statics): dialog is LibraryDialog {
  return dialog instanceof library.Dialog;
}

function isSrf(srf: Srf): srf is Srf & SrfInternals {
  return srf instanceof Srf && 'addDialog' in srf;
}
