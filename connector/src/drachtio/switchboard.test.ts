import { expect, test } from 'vitest';
import { FakeClock } from '../../test/support/fake-clock.ts';
import { silentLog } from '../base/log.ts';
import type { Header, SipRequest, SipResponse } from '../sip/message/message.ts';
import type {
  Forwarding,
  InboundRequest,
  RequestDraft,
  ResponseDraft,
  Sent,
  Trace,
  UserAgent,
} from '../sip/user-agent.ts';
import { Refusal } from '../sip/user-agent.ts';
import type { Application } from './application.ts';
import { Execution } from './execution.ts';
import type { Notice } from './notify.ts';
import type { Reply } from './reply.ts';
import { Switchboard } from './switchboard.ts';

const trace: Trace = {
  source: 'network',
  sizeBytes: 1,
  protocol: 'udp',
  address: '192.0.2.1',
  port: 5060,
  time: 0,
};

/** Everything one application was told, in short: `request INVITE t1`, `response 180 t1`, `m1 response-sent` … */
class FakeApplication implements Application {
  readonly tags: readonly string[] = [];
  readonly heard: string[] = [];
  isOpen = true;

  notify(notice: Notice): void {
    if (notice.kind === 'response') {
      const { message, transaction } = notice.response;
      this.heard.push(`response ${message.status} ${transaction}`);
    } else if (notice.kind === 'request') {
      this.heard.push(`request ${notice.request.message.method} ${notice.request.transaction}`);
    } else {
      this.heard.push(`server-request ${notice.request.message.method}`);
    }
  }

  reply(command: string, reply: Reply): void {
    this.heard.push(`${command} ${reply.kind}${reply.kind === 'nok' ? `: ${reply.reason}` : ''}`);
  }
}

/** Sends nothing; each send waits until the test lets it go. */
class FakeUserAgent implements UserAgent {
  readonly listenPoints = [];
  readonly asked: string[] = [];
  readonly drafts: (RequestDraft | ResponseDraft)[] = [];
  readonly #pending: (() => void)[] = [];
  #count = 0;

  respond(transaction: string, draft: ResponseDraft): Promise<Sent> {
    this.asked.push(`respond ${transaction} ${draft.status}`);
    this.drafts.push(draft);
    if (transaction === 'unknown') {
      return Promise.reject(new Refusal('Response not sent due to unknown transaction'));
    }
    return this.#send(transaction, `call-${transaction};from-tag=f`);
  }

  request(draft: RequestDraft): Promise<Sent> {
    this.asked.push(`request ${draft.method}`);
    this.drafts.push(draft);
    const dialog = draft.method === 'INVITE' ? 'call-out;from-tag=l' : '';
    return this.#send(`out-${++this.#count}`, dialog);
  }

  requestInDialog(dialog: string, draft: RequestDraft): Promise<Sent> {
    this.asked.push(`in-dialog ${draft.method}`);
    if (dialog === 'gone') {
      return Promise.reject(new Refusal('unable to find dialog for dialog id provided'));
    }
    return this.#send(`in-${++this.#count}`, dialog);
  }

  cancel(transaction: string): Promise<Sent> {
    this.asked.push(`cancel ${transaction}`);
    if (transaction === 'broken') return Promise.reject(new TypeError('a bug'));
    return this.#send(`cancel-${transaction}`, '');
  }

  forsake(): void {}

  endDialog(): void {}

  proxy(): Forwarding {
    throw new Refusal('none');
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  /** Lets everything that was sent go out. */
  async flush(): Promise<void> {
    for (const task of this.#pending.splice(0)) task();
    for (let turn = 0; turn < 10; turn++) await Promise.resolve();
  }

  #send(transaction: string, dialog: string): Promise<Sent> {
    const sent = { transaction, dialog, text: Buffer.alloc(0), trace };
    return new Promise((resolve) => this.#pending.push(() => resolve(sent)));
  }
}

function headersOf(callId: string): Header[] {
  return [{ name: 'Call-ID', value: callId }];
}

function inbound(method: string, transaction: string, dialog = ''): InboundRequest {
  const callId = dialog === '' ? `call-${transaction}` : dialog.split(';')[0];
  const message: SipRequest = {
    kind: 'request',
    method,
    uri: 'sip:a@b',
    headers: headersOf(callId ?? ''),
    body: Buffer.alloc(0),
  };
  return { transaction, dialog, message, trace };
}

function answer(status: number, callId: string): SipResponse {
  return {
    kind: 'response',
    status,
    reason: '',
    headers: headersOf(callId),
    body: Buffer.alloc(0),
  };
}

function draftOf(method: string, callId?: string): RequestDraft {
  const headers = callId === undefined ? [] : headersOf(callId);
  return { method, uri: 'sip:a@b', headers, body: Buffer.alloc(0) };
}

function response(status: number, headers: Header[] = []): ResponseDraft {
  return { status, reason: '', headers, body: Buffer.alloc(0) };
}

function setUp() {
  const clock = new FakeClock();
  const userAgent = new FakeUserAgent();
  const switchboard = new Switchboard({ clock, log: silentLog, onRouted: () => undefined });
  switchboard.connect(userAgent);
  const execution = new Execution({
    userAgent,
    switchboard,
    log: silentLog,
    newId: () => 'new-id',
  });
  const [a, b] = [new FakeApplication(), new FakeApplication()];
  const close = (application: FakeApplication) => {
    application.isOpen = false;
    switchboard.onGone(application);
  };
  return { clock, userAgent, switchboard, execution, a, b, close };
}

test.each([
  ['INVITE', 503],
  ['OPTIONS', 503],
  ['REGISTER', 503],
  ['BYE', 481],
  ['UPDATE', 481],
  ['PRACK', 481],
  ['REFER', 405],
  ['DANCE', 405],
])('%s outside of a dialog with nobody registered is answered %d', (method, status) => {
  const { switchboard, userAgent } = setUp();
  switchboard.onRequest(inbound(method, 't1'));
  expect(userAgent.asked).toEqual([`respond t1 ${status}`]);
});

test('a 405 says what is allowed', () => {
  const { switchboard, userAgent } = setUp();
  switchboard.onRequest(inbound('DANCE', 't1'));
  expect(userAgent.drafts[0]?.headers).toEqual([
    {
      name: 'Allow',
      value:
        'INVITE, REGISTER, MESSAGE, OPTIONS, INFO, NOTIFY, SUBSCRIBE, PUBLISH, ACK, BYE, CANCEL, PRACK, REFER, UPDATE',
    },
  ]);
});

test('a Call-ID that would break the wire format is a bad request', () => {
  const { switchboard, userAgent, a } = setUp();
  switchboard.registrations.add('invite', a);
  switchboard.onRequest(inbound('INVITE', 'a|b'));
  expect(userAgent.asked).toEqual(['respond a|b 400']);
  expect(a.heard).toEqual([]);
});

test('a dialog belongs to whom the INVITE was delivered to, whoever answered it', async () => {
  const { switchboard, execution, userAgent, a, b } = setUp();
  switchboard.registrations.add('invite', a);
  switchboard.onRequest(inbound('INVITE', 't1'));
  const done = execution.run(b, 'm1', { kind: 'respond', transaction: 't1', draft: response(200) });
  await userAgent.flush();
  await done;
  switchboard.onRequest(inbound('BYE', 't2', 'call-t1;from-tag=f'));
  expect(a.heard).toEqual(['request INVITE t1', 'request BYE t2']);
  expect(b.heard).toEqual(['m1 response-sent']);
});

test('what belongs to a call waits for the echo of the answer', async () => {
  const { switchboard, execution, userAgent, a } = setUp();
  switchboard.registrations.add('invite', a);
  switchboard.onRequest(inbound('INVITE', 't1'));
  const done = execution.run(a, 'm1', { kind: 'respond', transaction: 't1', draft: response(200) });
  switchboard.onRequest(inbound('ACK', 't1', 'call-t1;from-tag=f'));
  switchboard.onRequest(inbound('BYE', 't2', 'call-t1;from-tag=f'));
  switchboard.onDialogEnded('call-t1;from-tag=f');
  switchboard.onRequest(inbound('INVITE', 'other'));
  await userAgent.flush();
  await done;
  expect(a.heard).toEqual([
    'request INVITE t1',
    'request INVITE other',
    'm1 response-sent',
    'request ACK t1',
    'request BYE t2',
  ]);
});

test('a response waits for the echo of its request, also where the server chose the Call-ID', async () => {
  const { switchboard, execution, userAgent, a } = setUp();
  const done = execution.run(a, 'm1', { kind: 'request', draft: draftOf('OPTIONS') });
  expect(userAgent.drafts[0]?.headers).toEqual([{ name: 'Call-ID', value: 'new-id' }]);
  switchboard.onResponse({
    transaction: 'out-1',
    dialog: '',
    message: answer(503, 'new-id'),
    trace,
  });
  await userAgent.flush();
  await done;
  expect(a.heard).toEqual(['m1 request-sent', 'response 503 out-1']);
});

test('responses go to the sender; 100 and what follows the final do not', async () => {
  const { switchboard, execution, userAgent, a, b } = setUp();
  switchboard.registrations.add('invite', b);
  const done = execution.run(a, 'm1', { kind: 'request', draft: draftOf('INVITE', 'call-out') });
  await userAgent.flush();
  await done;
  for (const status of [100, 180, 200, 200]) {
    const message = answer(status, 'call-out');
    switchboard.onResponse({ transaction: 'out-1', dialog: 'call-out;from-tag=l', message, trace });
  }
  switchboard.onRequest(inbound('INFO', 't1', 'call-out;from-tag=l'));
  expect(a.heard).toEqual([
    'm1 request-sent',
    'response 180 out-1',
    'response 200 out-1',
    'request INFO t1',
  ]);
  expect(b.heard).toEqual([]);
});

test('any connection may use a dialog, which does not become its own', async () => {
  const { switchboard, execution, userAgent, a, b } = setUp();
  switchboard.ledger.own('d;from-tag=1', a);
  const done = execution.run(b, 'm1', {
    kind: 'request-in-dialog',
    dialog: 'd;from-tag=1',
    draft: draftOf('INFO'),
  });
  await userAgent.flush();
  await done;
  switchboard.onResponse({ transaction: 'in-1', dialog: '', message: answer(200, 'd'), trace });
  switchboard.onRequest(inbound('INFO', 't1', 'd;from-tag=1'));
  expect(b.heard).toEqual(['m1 request-sent', 'response 200 in-1']);
  expect(a.heard).toEqual(['request INFO t1']);
});

test('requests of a dialog whose application went away are answered 481', () => {
  const { switchboard, userAgent, a, close } = setUp();
  switchboard.ledger.own('d;from-tag=1', a);
  close(a);
  switchboard.onRequest(inbound('BYE', 't1', 'd;from-tag=1'));
  switchboard.onRequest(inbound('ACK', 't2', 'd;from-tag=1'));
  expect(userAgent.asked).toEqual(['respond t1 481']);
});

test('what a closed application left unanswered is answered after 4 s', () => {
  const { switchboard, userAgent, a, clock, close } = setUp();
  switchboard.registrations.add('invite', a);
  switchboard.ledger.own('d;from-tag=1', a);
  switchboard.onRequest(inbound('INVITE', 't1'));
  switchboard.onRequest(inbound('INFO', 't2', 'd;from-tag=1'));
  close(a);
  clock.advance(3_999);
  expect(userAgent.asked).toEqual([]);
  clock.advance(1);
  expect(userAgent.asked).toEqual(['respond t1 503', 'respond t2 500']);
  expect(clock.pending).toBe(0);
});

test('unless another connection answers it in time, to which the dialog then belongs', async () => {
  const { switchboard, execution, userAgent, a, b, clock, close } = setUp();
  switchboard.registrations.add('invite', a);
  switchboard.onRequest(inbound('INVITE', 't1'));
  close(a);
  const done = execution.run(b, 'm1', { kind: 'respond', transaction: 't1', draft: response(180) });
  await userAgent.flush();
  await done;
  clock.advance(10_000);
  switchboard.onRequest(inbound('PRACK', 't2', 'call-t1;from-tag=f'));
  expect(userAgent.asked).toEqual(['respond t1 180']);
  expect(b.heard).toEqual(['m1 response-sent', 'request PRACK t2']);
});

test('a closed application is out of the rotation', () => {
  const { switchboard, a, b, close } = setUp();
  for (const each of [a, b]) switchboard.registrations.add('invite', each);
  close(a);
  for (const id of ['t1', 't2']) switchboard.onRequest(inbound('INVITE', id));
  expect(b.heard).toEqual(['request INVITE t1', 'request INVITE t2']);
});

test('a CANCEL reaches who has the INVITE, once, and closing leaves nothing to answer', () => {
  const { switchboard, userAgent, a, clock, close } = setUp();
  switchboard.registrations.add('invite', a);
  switchboard.onRequest(inbound('INVITE', 't1'));
  switchboard.onRequest({ ...inbound('CANCEL', 't1'), dialog: '' });
  switchboard.onRequest({ ...inbound('CANCEL', 't1'), dialog: '' });
  close(a);
  clock.advance(10_000);
  expect(a.heard).toEqual(['request INVITE t1', 'request CANCEL t1']);
  expect(userAgent.asked).toEqual([]);
});

test('the answer to an early UPDATE does not settle its INVITE', async () => {
  const { switchboard, execution, userAgent, a, clock, close } = setUp();
  switchboard.registrations.add('invite', a);
  switchboard.onRequest(inbound('INVITE', 't1'));
  const run = async (command: string, answerDraft: ResponseDraft) => {
    const done = execution.run(a, command, {
      kind: 'respond',
      transaction: 't1',
      draft: answerDraft,
    });
    await userAgent.flush();
    await done;
  };
  await run('m1', response(180));
  switchboard.onRequest(inbound('UPDATE', 't1', 'call-t1;from-tag=f'));
  await run('m2', response(200, [{ name: 'CSeq', value: '2 UPDATE' }]));
  close(a);
  clock.advance(4_000);
  expect(userAgent.asked).toEqual(['respond t1 180', 'respond t1 200', 'respond t1 503']);
});

test('requests the server made itself reach the owner of the dialog, before it ends', () => {
  const { switchboard, a } = setUp();
  switchboard.ledger.own('d;from-tag=1', a);
  const { transaction: _, ...request } = inbound('BYE', '', 'd;from-tag=1');
  switchboard.onServerRequest(request);
  switchboard.onDialogEnded('d;from-tag=1');
  switchboard.onServerRequest(request);
  expect(a.heard).toEqual(['server-request BYE']);
});

test.each([
  [
    { kind: 'respond', transaction: 'unknown', draft: response(200) },
    'Response not sent due to unknown transaction',
  ],
  [
    { kind: 'request-in-dialog', dialog: 'gone', draft: draftOf('BYE') },
    'Server error: unable to find dialog for dialog id provided',
  ],
  [
    { kind: 'cancel', transaction: 'broken', headers: [] },
    'Error creating sip transaction for uac request',
  ],
] as const)('a refused command is answered with the known text: %j', async (order, reason) => {
  const { execution, userAgent, a } = setUp();
  const done = execution.run(a, 'm1', order);
  await userAgent.flush();
  await done;
  expect(a.heard).toEqual([`m1 nok: ${reason}`]);
});
