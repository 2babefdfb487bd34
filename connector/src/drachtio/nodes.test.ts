import { expect, test } from 'vitest';
import { ScriptedUserAgent, trace } from '../../test/drachtio/scripted-user-agent.ts';
import { FakeClock } from '../../test/support/fake-clock.ts';
import { silentLog } from '../base/log.ts';
import type { InboundRequest } from '../sip/user-agent.ts';
import { defaultPatience } from './node.ts';
import { Nodes } from './nodes.ts';
import type { Notice } from './notify.ts';
import { Switchboard } from './switchboard.ts';

/** Notes what it is told to give up. */
class LosingUserAgent extends ScriptedUserAgent {
  readonly lost: string[] = [];

  override forsake(dialog?: string): void {
    this.lost.push(`forsake ${dialog}`);
  }

  override endDialog(dialog?: string, reason?: string): void {
    this.lost.push(`end ${dialog}: ${reason}`);
  }

  override cancel(transaction?: string) {
    this.lost.push(`cancel ${transaction}`);
    return super.cancel();
  }
}

class FakeConnection {
  readonly tags: readonly string[];
  readonly heard: string[] = [];
  isOpen = true;

  constructor(...tags: string[]) {
    this.tags = tags;
  }

  notify(notice: Notice): void {
    if (notice.kind === 'request') this.heard.push(notice.request.transaction);
  }

  reply(command: string): void {
    this.heard.push(`reply ${command}`);
  }

  close(): void {
    this.isOpen = false;
  }
}

function inbound(method: string, transaction: string, dialog = ''): InboundRequest {
  const headers = [{ name: 'Call-ID', value: 'call' }];
  const body = Buffer.alloc(0);
  const message = { kind: 'request' as const, method, uri: 'sip:a@b', headers, body };
  return { transaction, dialog, message, trace };
}

function setUp() {
  const clock = new FakeClock();
  const userAgent = new LosingUserAgent();
  const switchboard: Switchboard = new Switchboard({
    clock,
    log: silentLog,
    onRouted: () => undefined,
    named: (name) => nodes.named(name),
  });
  const nodes = new Nodes({ clock, log: silentLog, patience: defaultPatience, switchboard });
  switchboard.connect(userAgent);
  nodes.connect(userAgent);
  const statuses = () => userAgent.asked.map((each) => ('status' in each ? each.status : each));
  return { clock, userAgent, switchboard, nodes, statuses };
}

test('dialogs of a journal wait for the application of their name', () => {
  const { switchboard, nodes, statuses } = setUp();
  switchboard.onDialogRestored('d', 'node@a');
  switchboard.onRequest(inbound('INFO', 't1', 'd'));
  const [other, right] = [new FakeConnection('node@b'), new FakeConnection('x', 'node@a')];
  for (const each of [other, right]) nodes.join(each);
  switchboard.onRequest(inbound('INFO', 't2', 'd'));
  expect([other.heard, right.heard, statuses()]).toEqual([[], ['t1', 't2'], []]);
});

test.each(['gw-1', 'node@', 'node@a b', `node@${'a'.repeat(28)}`])(
  'the tag %j is an ordinary one: its dialogs end with the connection',
  (tag) => {
    const { switchboard, nodes, statuses } = setUp();
    const connection = new FakeConnection(tag);
    nodes.join(connection);
    expect(nodes.sender(connection, 'm1')).toBe(connection);
    switchboard.onDialogRestored('d', tag);
    switchboard.onRequest(inbound('INFO', 't1', 'd'));
    expect(statuses()).toEqual([481]);
    expect(nodes.leave(connection)).toBe(false);
  },
);

test('routes end with their connection, new calls go to others', () => {
  const { switchboard, nodes, statuses } = setUp();
  const first = new FakeConnection('node@a');
  nodes.join(first);
  switchboard.registrations.add('invite', nodes.sender(first, 'm1'));
  const second = new FakeConnection('node@a');
  nodes.join(second);
  expect(first.isOpen).toBe(false);
  expect(nodes.leave(first)).toBe(true);
  switchboard.onRequest(inbound('INVITE', 't1'));
  expect(statuses()).toEqual([503]);
  switchboard.registrations.add('invite', nodes.sender(second, 'm2'));
  switchboard.onRequest(inbound('INVITE', 't2'));
  expect(second.heard).toEqual(['t2']);
});

test('a new call that rings at an application is told again to its next process, and else refused', () => {
  const { clock, switchboard, nodes, statuses } = setUp();
  const first = new FakeConnection('node@a');
  nodes.join(first);
  switchboard.registrations.add('invite', nodes.sender(first, 'm1'));
  switchboard.onRequest(inbound('INVITE', 't1'));
  nodes.leave(first);
  clock.advance(9_999);
  const second = new FakeConnection('node@a');
  nodes.join(second);
  expect(second.heard).toEqual(['t1']);
  nodes.leave(second);
  clock.advance(10_000);
  expect(statuses()).toEqual([503]);
});

test('what a lost application began is given up, its calls end, and nothing is left of it', () => {
  const { clock, userAgent, switchboard, nodes } = setUp();
  const connection = new FakeConnection('node@a');
  nodes.join(connection);
  const application = nodes.sender(connection, 'm1');
  for (const dialog of ['d1', 'd2']) switchboard.ledger.own(dialog, application);
  switchboard.ledger.sent('t1', application);
  nodes.leave(connection);
  clock.advance(10_000);
  expect(userAgent.lost).toEqual(['cancel t1', 'forsake d1', 'forsake d2']);
  clock.advance(50_000);
  expect(userAgent.lost.slice(3)).toEqual(['end d1: Application lost', 'end d2: Application lost']);
  expect([clock.pending, application.isOpen]).toEqual([0, false]);
  const next = new FakeConnection('node@a');
  nodes.join(next);
  expect(nodes.sender(next, 'm1')).not.toBe(application);
});

test('one application cannot make more wait than its share', () => {
  const { switchboard, statuses } = setUp();
  switchboard.onDialogRestored('d', 'node@a');
  for (let each = 0; each < 2_049; each++) switchboard.onRequest(inbound('INFO', `t${each}`, 'd'));
  expect(statuses()).toEqual([503]);
  switchboard.onDialogRestored('e', 'node@b');
  switchboard.onRequest(inbound('INFO', 'other', 'e'));
  expect(statuses()).toEqual([503]);
});

test('closing leaves no timer', () => {
  const { clock, switchboard, nodes } = setUp();
  switchboard.onDialogRestored('d', 'node@a');
  nodes.close();
  expect(clock.pending).toBe(0);
});
