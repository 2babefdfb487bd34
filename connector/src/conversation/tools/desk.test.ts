import { expect, test } from 'vitest';
import { agentOf } from '../../../test/conversation/talk.ts';
import { FakeClock } from '../../../test/support/fake-clock.ts';
import type { ConversationEvent } from '../events.ts';
import { Transcript } from '../transcript.ts';
import type { ToolAnswer } from './answer.ts';
import { ToolDesk } from './desk.ts';
import type { HttpCall } from './http.ts';

class Bench {
  readonly clock = new FakeClock();
  readonly transcript = new Transcript(this.clock, () => undefined);
  readonly calls: { call: HttpCall; settle: (answer: ToolAnswer) => void }[] = [];
  readonly answers: string[] = [];
  readonly events: ConversationEvent[] = [];
  readonly desk: ToolDesk;

  constructor(of: { idempotent?: boolean } = {}) {
    this.desk = new ToolDesk({
      tools: agentOf({
        tools: [{ name: 'order', http: { url: 'https://x.example', ...of } }],
      }).tools,
      clock: this.clock,
      keyPrefix: 'call',
      transcript: this.transcript,
      http: (call) => new Promise((settle) => void this.calls.push({ call, settle })),
      transfer: () => Promise.reject(new Error('not here')),
      sendDigits: () => Promise.reject(new Error('not here')),
      onHangUp: () => undefined,
      onAnswer: (callId, text) => void this.answers.push(`${callId} ${text}`),
      onEvent: (event) => void this.events.push(event),
    });
  }

  order(callId: string, args = '{"size":1,"kind":"m"}'): void {
    this.desk.call({ callId, name: 'order', arguments: args });
  }

  async settle(index: number, text: string): Promise<void> {
    this.calls[index]?.settle({ outcome: 'ok', text });
    await this.clock.advanceAsync(0);
  }
}

test('a call is recorded before it is sent, and its result after', async () => {
  const bench = new Bench();
  bench.order('a');
  expect(bench.transcript.turns()).toMatchObject([{ role: 'tool', outcome: 'running' }]);
  bench.clock.advance(300);
  await bench.settle(0, 'done');
  expect(bench.transcript.turns()).toMatchObject([{ outcome: 'ok', result: 'done' }]);
  expect(bench.answers).toEqual(['a done']);
  expect(bench.events).toEqual([{ type: 'tool', name: 'order', outcome: 'ok', took: 300 }]);
  expect(bench.desk.isBusy).toBe(false);
});

test('each call has its own idempotency key', () => {
  const bench = new Bench();
  bench.order('a');
  bench.order('b');
  expect(bench.calls.map(({ call }) => call.idempotencyKey)).toEqual(['call-1', 'call-2']);
});

test('the next session, making the same call again, joins the run of the lost one', async () => {
  const bench = new Bench();
  bench.order('a');
  bench.desk.sessionLost();
  expect(bench.desk.isBusy).toBe(false);
  bench.order('b', '{ "kind": "m", "size": 1 }');
  expect(bench.calls).toHaveLength(1);
  await bench.settle(0, 'done');
  expect(bench.answers).toEqual(['b done']);
});

test('it does so also when the run has ended meanwhile, but not for ever', async () => {
  const bench = new Bench();
  bench.order('a');
  bench.desk.sessionLost();
  await bench.settle(0, 'done');
  expect(bench.answers).toEqual([]);
  bench.clock.advance(59_000);
  bench.order('b');
  await bench.settle(0, '');
  expect(bench.answers).toEqual(['b done']);
  bench.order('c');
  expect(bench.calls).toHaveLength(2);
});

test('a minute after the loss the same call is a new one', () => {
  const bench = new Bench();
  bench.order('a');
  bench.desk.sessionLost();
  bench.clock.advance(61_000);
  bench.order('b');
  expect(bench.calls).toHaveLength(2);
});

test('an idempotent tool is simply called again', () => {
  const bench = new Bench({ idempotent: true });
  bench.order('a');
  bench.desk.sessionLost();
  bench.order('b');
  expect(bench.calls).toHaveLength(2);
});

test('after the end calls are aborted and nothing is answered', async () => {
  const bench = new Bench();
  bench.order('a');
  bench.desk.close();
  expect(bench.calls[0]?.call.signal.aborted).toBe(true);
  await bench.settle(0, 'late');
  bench.order('b');
  expect(bench.answers).toEqual([]);
  expect(bench.calls).toHaveLength(1);
});
