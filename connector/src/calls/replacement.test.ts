import { expect, test } from 'vitest';
import { FakeIncoming, FakeSignalling } from '../../test/calls/fake-signalling.ts';
import { FakeClock } from '../../test/support/fake-clock.ts';
import { ConnectorError } from '../base/errors.ts';
import { silentLog } from '../base/log.ts';
import { Calls } from './calls.ts';
import type { IncomingCall } from './incoming-call.ts';
import type { LegUser } from './leg.ts';
import type { SignallingUser } from './signalling.ts';

const sdpType = { 'content-type': 'application/sdp' };
const dialog = 'c1;from-tag=t1';
const tags = { 'call-id': 'c1', from: '<sip:ann@a>;tag=t1', to: '<sip:pizza@b>;tag=ours' };

function invite(callId: string, headers: Record<string, string> = {}, body = `offer ${callId}`) {
  return {
    method: 'INVITE',
    body,
    headers: {
      ...sdpType,
      'call-id': callId,
      from: '<sip:ann@a>;tag=t1',
      to: '<sip:pizza@b>',
      contact: '<sip:ann@a>',
      ...headers,
    },
  };
}

const taking = { replaces: 'c1;to-tag=ours;from-tag=t1' };

/** A call that is up; `told` is what its user heard. */
async function talking(over: Partial<LegUser> = {}) {
  const told: string[] = [];
  const incoming: IncomingCall[] = [];
  let server: SignallingUser | undefined;
  const signalling = new FakeSignalling();
  const clock = new FakeClock();
  const calls = new Calls(
    { clock, log: silentLog, sessionSeconds: 1800, nonce: () => 'n' },
    { onIncoming: (call) => void incoming.push(call), onOptions: () => ({ status: 200 }) },
  );
  await calls.connect(async (user) => {
    server = user;
    return signalling;
  });
  const make = (request: FakeIncoming) => {
    server?.onRequest(request);
    return request;
  };
  const receive = (given: ConstructorParameters<typeof FakeIncoming>[0]) =>
    make(new FakeIncoming(given));
  const user: LegUser = {
    onOffer: (sdp) => {
      told.push(sdp);
      return `answer to ${sdp}`;
    },
    onOfferWanted: () => 'our offer',
    onAnswer: (sdp) => void told.push(`accept ${sdp}`),
    onConfirmed: () => void told.push('confirmed'),
    onDigit: () => undefined,
    onReplaced: (by) => void told.push(`replaced by ${by.id}`),
    onEnded: (end) => void told.push(end),
    ...over,
  };
  receive(invite('c1'));
  await incoming[0]?.answer('first', user);
  receive({ method: 'ACK', dialog, headers: tags });
  told.length = 0;
  return { told, incoming, receive, make, signalling, calls, clock };
}

const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

test('the call goes on with the new leg, and the old one gets a BYE', async () => {
  const { told, incoming, receive, signalling, calls } = await talking();
  const request = receive(invite('c2', taking));
  await settled();
  expect(request.responses).toMatchObject([{ status: 200, body: 'answer to offer c2' }]);
  expect(signalling.sent.map(({ draft }) => [draft.method, draft.dialog])).toEqual([
    ['BYE', dialog],
  ]);
  signalling.last.reply(200);
  await settled();
  receive({ method: 'ACK', dialog: 'c2;from-tag=t1' });
  expect([incoming.length, calls.legCount]).toEqual([1, 1]);
  expect(told).toEqual(['offer c2', 'replaced by c2;from-tag=t1', 'confirmed']);
  receive({ method: 'BYE', dialog: 'c2;from-tag=t1' });
  expect(told.at(-1)).toBe('remote-hung-up');
});

test('the new caller wants our offer', async () => {
  const { told, receive } = await talking();
  const request = receive(invite('c2', taking, ''));
  await settled();
  expect(request.responses).toMatchObject([{ status: 200, body: 'our offer' }]);
  receive({ method: 'ACK', dialog: 'c2;from-tag=t1', headers: sdpType, body: 'theirs' });
  expect(told).toEqual(['replaced by c2;from-tag=t1', 'accept theirs', 'confirmed']);
});

test.each([
  ['a wrong To tag', 'c1;to-tag=other;from-tag=t1', 481],
  ['a wrong From tag', 'c1;to-tag=ours;from-tag=other', 481],
  ['an unknown call', 'c9;to-tag=ours;from-tag=t1', 481],
  ['early-only, and the call is answered', 'c1;to-tag=ours;from-tag=t1;early-only', 486],
  ['no tags', 'c1', 400],
])('%s: refused, the call lives on', async (_, replaces, status) => {
  const { told, incoming, receive, calls } = await talking();
  expect(receive(invite('c2', { replaces })).statuses).toEqual([status]);
  expect([told, incoming.length, calls.legCount]).toEqual([[], 1, 1]);
});

test('a call that is over is declined, and forgotten after a while', async () => {
  const { receive, clock } = await talking();
  receive({ method: 'BYE', dialog, headers: tags });
  expect(receive(invite('c2', taking)).statuses).toEqual([603]);
  clock.advance(32_001);
  expect(receive(invite('c3', taking)).statuses).toEqual([481]);
});

test('an offer that cannot be taken: 488, the call lives on', async () => {
  const { told, receive, calls } = await talking({
    onOffer: () => {
      throw new ConnectorError('MEDIA_NOT_ACCEPTABLE', 'no codec');
    },
  });
  expect(receive(invite('c2', taking)).statuses).toEqual([488]);
  expect([told, calls.legCount]).toEqual([[], 1]);
});

test('the old leg ends while the new one is being answered: the call goes on', async () => {
  const { told, receive } = await talking();
  receive(invite('c2', taking));
  receive({ method: 'BYE', dialog, headers: tags });
  await settled();
  expect(told).toEqual(['offer c2', 'replaced by c2;from-tag=t1']);
});

test('the new caller is gone before its answer: the sound goes back', async () => {
  const { told, make, calls } = await talking();
  const request = new FakeIncoming(invite('c2', taking));
  request.isGone = true;
  make(request);
  await settled();
  expect([told, calls.legCount]).toEqual([['offer c2', 'offer c1'], 1]);
});

test('both are gone: the call ends', async () => {
  const { told, receive, make } = await talking();
  const request = new FakeIncoming(invite('c2', taking));
  request.isGone = true;
  make(request);
  receive({ method: 'BYE', dialog, headers: tags });
  await settled();
  expect(told).toEqual(['offer c2', 'remote-hung-up']);
});

test.each([
  ['PRACK', '', 200],
  ['PRACK', 'v=0', 488],
  ['UPDATE', '', 200],
  ['UPDATE', 'v=0', 500],
])(
  '%s with body %j before the answer: %d, and the call can be answered',
  async (method, body, status) => {
    const { incoming, receive } = await talking();
    receive(invite('c2'));
    const early = { method, body, dialog: 'c2;from-tag=t1', headers: sdpType };
    expect(receive(early).statuses).toEqual([status]);
    expect(incoming).toHaveLength(2);
  },
);

test('a BYE before the answer is as good as a CANCEL', async () => {
  const { incoming, receive, told } = await talking();
  receive(invite('c2'));
  incoming[1]?.onCancelled(() => void told.push('cancelled'));
  expect(receive({ method: 'BYE', dialog: 'c2;from-tag=t1' }).statuses).toEqual([200]);
  expect(told).toEqual(['cancelled']);
});
