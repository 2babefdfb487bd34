import { dialogRecord, rebuildDialog } from '../../src/calls/srf-dialog.ts';
import { connected, createSrf, type Dialog } from '../drachtio/client.ts';
import { sdp } from '../drachtio/site.ts';
import type { DialogOrder, DialogTold, Start } from './srf-dialog-application.ts';

/** The program of `DialogApplication`: drachtio-srf's own dialogs, those of an earlier process among them. */

const { port, secret, records } = JSON.parse(process.argv[2] ?? '') as Start;
const srf = createSrf(['node@gw-1']);
const dialogs = new Map<string, Dialog>();

function tell(told: DialogTold): void {
  process.send?.(told);
}

function own(dialog: Dialog): void {
  const { id } = dialog;
  dialogs.set(id, dialog);
  for (const event of ['info', 'refer', 'options']) {
    dialog.on(event, (_request, response) => {
      tell({ what: event, id });
      response.send(event === 'refer' ? 202 : 200);
    });
  }
  dialog.on('modify', (_request, response) => {
    tell({ what: 'modify', id });
    response.send(200, { body: dialog.local.sdp });
  });
  for (const event of ['ack', 'destroy']) dialog.on(event, () => tell({ what: event, id }));
}

/** A dialog is up, or an order done. */
function report(what: string, dialog: Dialog, result = ''): void {
  tell({ what, id: dialog.id, result, record: dialogRecord(dialog as never) });
}

async function work(order: DialogOrder): Promise<void> {
  if (order.kind === 'call') {
    const dialog = await srf.createUAC(order.uri, { localSdp: sdp('app') });
    own(dialog);
    report('up', dialog);
    return;
  }
  const dialog = dialogs.get(order.id);
  if (!dialog) throw new Error('no such dialog');
  report('done', dialog, await resultOf(dialog, order));
}

async function resultOf(
  dialog: Dialog,
  order: Exclude<DialogOrder, { kind: 'call' }>,
): Promise<string> {
  if (order.kind === 'modify') return dialog.modify(order.sdp);
  if (order.kind === 'request') {
    return String((await dialog.request({ method: order.method })).status);
  }
  await dialog.destroy();
  return '';
}

function fail(error: unknown): void {
  tell({ what: 'failed', id: '', result: String(error) });
}

function takeCall(dialog: Dialog): void {
  own(dialog);
  dialog.once('ack', () => report('up', dialog));
}

function takeSubscription(dialog: Dialog): void {
  own(dialog);
  report('up', dialog);
}

srf.use('invite', (request, response) => {
  srf.createUAS(request, response, { localSdp: sdp('app') }).then(takeCall, fail);
});
srf.use('subscribe', (request, response) => {
  const options = { headers: { Expires: '3600' } };
  srf.createUAS(request, response, options).then(takeSubscription, fail);
});

for (const record of records) own(rebuildDialog(srf as never, record) as unknown as Dialog);
process.on('message', (order: DialogOrder) => {
  work(order).catch(fail);
});
process.on('disconnect', () => process.exit());
await connected(srf, port, secret);
tell({ what: 'connected', id: '' });
