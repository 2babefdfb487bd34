import Srf from 'drachtio-srf';
import { expect, test } from 'vitest';
import { type DialogRecord, dialogRecord, rebuildDialog } from './srf-dialog.ts';

const uas: DialogRecord = {
  id: 'call;from-tag=far',
  type: 'uas',
  dialogType: 'INVITE',
  event: '',
  uri: 'sip:app@192.0.2.1',
  sip: { callId: 'call', localTag: 'near', remoteTag: 'far' },
  local: { uri: 'sip:192.0.2.1', sdp: 'v=0 near', contact: '<sip:192.0.2.1>' },
  remote: { uri: 'sip:far@192.0.2.9:5062;transport=tcp', sdp: 'v=0 far' },
  onHold: true,
  subscriptions: [],
};

const uac: DialogRecord = {
  ...uas,
  id: 'call;from-tag=near',
  type: 'uac',
  uri: 'sip:far@192.0.2.9',
  local: { ...uas.local, uri: 'sip:far@192.0.2.9' },
  onHold: false,
};

const subscription: DialogRecord = {
  ...uas,
  dialogType: 'SUBSCRIBE',
  event: 'presence',
  local: { ...uas.local, sdp: '' },
  remote: { ...uas.remote, sdp: '' },
  onHold: false,
  subscriptions: ['app@192.0.2.1:presence'],
};

function known(srf: Srf, id: string): unknown {
  return (srf as unknown as { findDialogById(id: string): unknown }).findDialogById(id);
}

test.each([
  ['a call that came', uas],
  ['a call that was made', uac],
  ['a subscription', subscription],
])('%s has the same record when it is made anew', (_name, record) => {
  const srf = new Srf();
  const dialog = rebuildDialog(srf, JSON.parse(JSON.stringify(record)) as DialogRecord);
  expect(dialogRecord(dialog)).toEqual(record);
  expect(dialog).toBeInstanceOf(Srf.Dialog);
  expect(known(srf, record.id)).toBe(dialog);
});

test.each([
  ['names another call', { ...uas, id: 'other;from-tag=far' }],
  ['is named by the tag of the To', { ...uas, id: 'call;from-tag=near' }],
  ['has the other role', { ...uas, type: 'uac' as const }],
  ['holds a tag that is none', { ...uas, sip: { ...uas.sip, localTag: 'a;b' } }],
])('a record that %s is refused', (_name, record) => {
  const srf = new Srf();
  expect(() => rebuildDialog(srf, record)).toThrow('not of the dialog');
  expect(known(srf, record.id)).toBeUndefined();
});

test('what is of another copy of the library is refused', () => {
  expect(() => rebuildDialog({} as Srf, uas)).toThrow('no Srf of the same drachtio-srf');
  expect(() => dialogRecord({} as Srf.Dialog)).toThrow('no dialog of the same drachtio-srf');
});
