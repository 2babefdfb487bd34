import { expect, test } from 'vitest';
import { FakeClock } from '../../test/support/fake-clock.ts';
import type { InboundRequest, Trace } from '../sip/user-agent.ts';
import { Node, type Seat } from './node.ts';
import type { Notice } from './notify.ts';

const trace: Trace = {
  source: 'network',
  sizeBytes: 1,
  protocol: 'udp',
  address: '192.0.2.1',
  port: 5060,
  time: 0,
};

function asked(method: string, transaction: string): InboundRequest {
  const body = Buffer.alloc(0);
  const message = { kind: 'request' as const, method, uri: 'sip:a@b', headers: [], body };
  return { transaction, dialog: 'd', message, trace };
}

function notice(method: string, transaction: string): Notice {
  return { kind: 'request', request: asked(method, transaction) };
}

function answered(status: number): Notice {
  const body = Buffer.alloc(0);
  const message = { kind: 'response' as const, status, reason: '', headers: [], body };
  return { kind: 'response', response: { transaction: 'own', dialog: 'd', message, trace } };
}

/** What one connection was sent. */
class FakeSeat implements Seat {
  readonly heard: string[] = [];

  notify(told: Notice): void {
    if (told.kind === 'response') this.heard.push(`response ${told.response.message.status}`);
    else if (told.kind === 'request') {
      this.heard.push(`${told.request.message.method} ${told.request.transaction}`);
    } else this.heard.push(`unsolicited ${told.request.message.method}`);
  }

  reply(command: string): void {
    this.heard.push(`reply ${command}`);
  }

  close(): void {
    this.heard.push('closed');
  }
}

function setUp({ room = 100 }: { room?: number } = {}) {
  const clock = new FakeClock();
  const unanswered: InboundRequest[] = [];
  const done: string[] = [];
  let left = room;
  const node = new Node({
    identity: 'node@a',
    patience: { hold: 10_000, keep: 60_000 },
    clock,
    user: {
      unansweredOf: () => unanswered,
      answer: (request, status) => done.push(`${request.transaction} ${status}`),
      takeRoom: () => left > 0 && left-- > 0,
      giveRoom: (count) => (left += count),
      onAbsent: () => done.push('absent'),
      onLost: () => done.push('lost'),
    },
  });
  const seat = new FakeSeat();
  return { clock, node, seat, unanswered, done };
}

test('what came in the gap is told in its order, after what was left unanswered', () => {
  const { node, seat, unanswered } = setUp();
  unanswered.push(asked('INFO', 'before'));
  const held = asked('INVITE', 't1');
  unanswered.push(held);
  node.notify({ kind: 'server-request', request: asked('BYE', '') });
  node.notify(answered(200));
  node.notify({ kind: 'request', request: held });
  node.notify(notice('ACK', 't2'));
  node.join(seat);
  expect(seat.heard).toEqual([
    'INFO before',
    'INVITE t1',
    'ACK t2',
    'response 200',
    'unsolicited BYE',
  ]);
});

test('nothing is told twice', () => {
  const { node, seat } = setUp();
  node.notify(notice('INFO', 't1'));
  node.join(seat);
  node.leave();
  const next = new FakeSeat();
  node.join(next);
  expect([seat.heard, next.heard]).toEqual([['INFO t1'], []]);
});

test('a request that was cancelled in the gap is not told, and neither is its CANCEL', () => {
  const { node, seat } = setUp();
  for (const [method, id] of [
    ['INVITE', 't1'],
    ['INFO', 't2'],
    ['CANCEL', 't1'],
  ] as const) {
    node.notify(notice(method, id));
  }
  node.join(seat);
  expect(seat.heard).toEqual(['INFO t2']);
});

test('after the hold a BYE is accepted, all else refused, and the BYE told later', () => {
  const { clock, node, seat, unanswered, done } = setUp();
  unanswered.push(asked('INFO', 'before'));
  for (const [method, id] of [
    ['INVITE', 't1'],
    ['ACK', 't2'],
    ['BYE', 't3'],
  ] as const) {
    node.notify(notice(method, id));
  }
  clock.advance(9_999);
  expect(done).toEqual([]);
  clock.advance(1);
  expect(done).toEqual(['before 503', 't1 503', 't3 200', 'absent']);
  unanswered.length = 0;
  node.notify(notice('INFO', 't4'));
  node.notify(notice('BYE', 't5'));
  expect(done.slice(4)).toEqual(['t4 503', 't5 200']);
  node.join(seat);
  expect(seat.heard).toEqual(['unsolicited BYE', 'unsolicited BYE']);
  clock.advance(100_000);
  expect([done.length, clock.pending]).toEqual([6, 0]);
});

test('after the keep it is lost for good', () => {
  const { clock, node, done } = setUp();
  clock.advance(59_999);
  expect([done, node.isOpen]).toEqual([['absent'], true]);
  clock.advance(1);
  expect([done, node.isOpen, clock.pending]).toEqual([['absent', 'lost'], false, 0]);
});

test('the wait begins anew with each connection that ends', () => {
  const { clock, node, seat, done } = setUp();
  clock.advance(9_000);
  node.join(seat);
  clock.advance(100_000);
  node.leave();
  clock.advance(9_999);
  node.notify(notice('INFO', 't1'));
  expect(done).toEqual([]);
});

test('without room requests are refused at once, and there is room again after the return', () => {
  const { node, seat, done } = setUp({ room: 1 });
  node.notify(notice('INFO', 't1'));
  node.notify(notice('INFO', 't2'));
  node.notify(notice('BYE', 't3'));
  expect(done).toEqual(['t2 503', 't3 200']);
  node.join(seat);
  node.leave();
  node.notify(notice('INFO', 't4'));
  expect(done.length).toBe(2);
});

test('the newest connection wins, and only its own commands are replied to', () => {
  const { node, seat } = setUp();
  const newer = new FakeSeat();
  node.join(seat);
  node.expect('m1');
  node.join(newer);
  node.expect('m2');
  for (const command of ['m1', 'm2', 'm2']) node.reply(command, { kind: 'ok' });
  node.notify(notice('INFO', 't1'));
  expect(seat.heard).toEqual(['closed']);
  expect(newer.heard).toEqual(['reply m2', 'INFO t1']);
});
