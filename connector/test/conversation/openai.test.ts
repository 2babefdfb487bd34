import { afterEach, expect, test, vi } from 'vitest';
import { createOpenAiProvider } from '../../src/ai/openai/provider.ts';
import { systemClock } from '../../src/base/clock.ts';
import { silentLog } from '../../src/base/log.ts';
import type { OpenAiOptions } from '../../src/contract/agent.ts';
import type { Termination } from '../../src/contract/termination.ts';
import { Conversation } from '../../src/conversation/conversation.ts';
import type { ConversationEvent } from '../../src/conversation/events.ts';
import { FakeLine } from '../support/fake-line.ts';
import type { SimulatorOptions } from '../support/openai-simulator.ts';
import { OpenAiSimulator, silence, tone, toneFor } from '../support/openai-simulator.ts';
import { agentOf } from './talk.ts';

/** A conversation with real sockets and real time; the line moves at 20 ms and the caller is silent or loud. */
class Call {
  readonly line = new FakeLine();
  readonly events: ConversationEvent[] = [];
  readonly hangUps: Termination[] = [];
  readonly conversation: Conversation;
  #isSpeaking = false;
  /** Frames since the line had something to play. */
  #quietFrames = 0;
  #ticker: NodeJS.Timeout | undefined;

  constructor(simulators: readonly OpenAiSimulator[], agent: Record<string, unknown> = {}) {
    const options = simulators.map(({ url }) => ({ openai: { url } }));
    const parsed = agentOf({ ...agent, providers: options });
    this.conversation = new Conversation({
      agent: parsed,
      providers: parsed.providers.map((provider) =>
        createOpenAiProvider({
          options: (provider as { openai: OpenAiOptions }).openai,
          apiKey: '',
          clock: systemClock,
          log: silentLog,
        }),
      ),
      control: {
        hangUp: (termination) => void this.hangUps.push(termination),
        transfer: () => Promise.reject(new Error('not here')),
        sendDigits: async () => 'refused',
      },
      speaker: undefined,
      clock: systemClock,
      random: () => 0.5,
      log: silentLog,
      onEvent: (event) => void this.events.push(event),
    });
  }

  answer(): void {
    const listener = this.conversation.attach(this.line);
    this.line.listener = listener;
    this.#ticker = setInterval(() => {
      this.line.tick();
      this.#quietFrames = this.#isPlaying ? 0 : this.#quietFrames + 1;
      listener.onAudio(this.#isSpeaking ? tone(20, 'pcmu') : silence(20, 'pcmu'));
    }, 20);
  }

  /** The caller speaks for half a second, and the model takes notice of the end of it. */
  async speak(): Promise<void> {
    const callers = this.#turnsOf('caller');
    this.#isSpeaking = true;
    await new Promise((resolve) => setTimeout(resolve, 500));
    this.#isSpeaking = false;
    await until(() => this.#turnsOf('caller') > callers);
  }

  /** The agent speaks, and falls silent; between two deltas in real time it may run dry for a moment. */
  async hear(): Promise<void> {
    await this.sound();
    this.#quietFrames = 0;
    await until(() => this.#quietFrames >= 5);
  }

  async sound(): Promise<void> {
    await until(() => this.#isPlaying);
  }

  stop(): void {
    clearInterval(this.#ticker);
    this.conversation.end({ result: 'completed', reason: 'caller-hung-up' });
  }

  get #isPlaying(): boolean {
    return this.line.playedBytes < this.line.queuedBytes;
  }

  #turnsOf(role: 'caller' | 'agent'): number {
    return this.conversation.transcript().filter((turn) => turn.role === role).length;
  }
}

async function until(holds: () => boolean): Promise<void> {
  await vi.waitUntil(holds, { timeout: 10_000, interval: 10 });
}

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

async function simulate(options: SimulatorOptions = {}): Promise<OpenAiSimulator> {
  const simulator = await OpenAiSimulator.start({
    hear: (turn) => `words ${turn}`,
    reply: (turn, law) => {
      const text = turn.kind === 'speech' ? `reply to ${turn.transcript}` : 'asked for';
      return { text, audio: tone(400, law) };
    },
    ...options,
  });
  cleanups.push(() => simulator.close());
  return simulator;
}

async function begin(
  simulators: readonly OpenAiSimulator[],
  agent: Record<string, unknown> = {},
): Promise<Call> {
  const call = new Call(simulators, agent);
  cleanups.push(() => call.stop());
  await call.conversation.open('pcmu');
  call.answer();
  await call.hear();
  return call;
}

/** Text of the messages that a session was told of or made itself, in order. */
function messagesOf(simulator: OpenAiSimulator): string[] {
  return simulator.session.items.flatMap((item) =>
    item.type === 'message' && item.role !== 'system'
      ? (item.content ?? []).map(
          (part) =>
            `${item.role}: ${('text' in part ? part.text : undefined) ?? ('transcript' in part ? part.transcript : undefined) ?? ''}`,
        )
      : [],
  );
}

test('greeting, words, reply; cut in: the service is told what was heard, and nothing it refuses', async () => {
  const simulator = await simulate({
    lateDeltas: 3,
    reply: (_, law) => ({ text: 'a reply of some length', audio: tone(1200, law) }),
  });
  const call = await begin([simulator]);
  await call.speak();
  await call.sound();
  await new Promise((resolve) => setTimeout(resolve, 300));
  const played = call.line.playedBytes;
  await call.speak();
  expect(call.events.filter(({ type }) => type === 'barge-in')).toHaveLength(1);
  const [truncation] = simulator.session.truncations;
  // Played before the speech began, and 3 frames or so until the service noticed it.
  const reply = call.conversation
    .transcript()
    .findLast((t) => t.role === 'agent' && t.isInterrupted);
  expect(reply).toMatchObject({ role: 'agent', heard: truncation?.audioEnd });
  expect(truncation?.audioEnd).toBeLessThan(600);
  expect(truncation?.audioEnd).toBeGreaterThan(200);
  expect(call.line.playedBytes).toBeGreaterThan(played);
  await call.hear();
  expect(simulator.session.errors).toEqual([]);
});

test('a connection that breaks in mid-call: the next session goes on with what was said', async () => {
  const simulator = await simulate();
  const call = await begin([simulator]);
  await call.speak();
  await call.hear();
  simulator.session.break();
  await expect.poll(() => simulator.sessions.length).toBe(2);
  await call.speak();
  await call.hear();
  expect(messagesOf(simulator).slice(0, 4)).toEqual([
    'assistant: asked for',
    'user: words 1',
    'assistant: reply to words 1',
    'user: words 1',
  ]);
  expect(simulator.session.errors).toEqual([]);
  expect(call.events.filter(({ type }) => type === 'session-opened')).toHaveLength(2);
  expect(call.hangUps).toEqual([]);
});

test('a connection that breaks in the middle of a reply: the model is asked to go on', async () => {
  const simulator = await simulate({ speed: 1 });
  const call = await begin([simulator]);
  await call.speak();
  await call.sound();
  simulator.session.break();
  await expect.poll(() => simulator.sessions.length).toBe(2);
  await expect.poll(() => simulator.session.receivedTypes).toContain('response.create');
  await call.hear();
  expect(messagesOf(simulator).slice(0, 2)).toEqual(['assistant: asked for', 'user: words 1']);
});

test('a service that is gone for good: the other one takes the call over', async () => {
  const first = await simulate();
  const second = await simulate();
  const call = await begin([first, second]);
  await call.speak();
  await call.hear();
  await first.close();
  cleanups.shift();
  await expect.poll(() => second.sessions.length, { timeout: 10_000 }).toBe(1);
  await call.speak();
  await call.hear();
  expect(messagesOf(second)).toContain('user: words 1');
  expect(call.hangUps).toEqual([]);
});

test('no service is left: three beeps, then the end', async () => {
  const simulator = await simulate();
  const call = await begin([simulator]);
  await simulator.close();
  cleanups.shift();
  await expect
    .poll(() => call.hangUps, { timeout: 10_000 })
    .toEqual([{ result: 'failed', reason: 'provider-failed' }]);
});

test('the model hangs up after its goodbye', async () => {
  const simulator = await simulate({
    reply: (turn, law) =>
      turn.kind === 'speech'
        ? {
            text: 'Goodbye.',
            audio: toneFor('Goodbye.', law),
            toolCalls: [{ name: 'bye', arguments: '{}' }],
          }
        : { text: 'Hello.', audio: toneFor('Hello.', law) },
  });
  const call = await begin([simulator], { tools: [{ name: 'bye', hangUp: {} }] });
  const before = call.line.playedBytes;
  await call.speak();
  await expect
    .poll(() => call.hangUps, { timeout: 10_000 })
    .toEqual([{ result: 'completed', reason: 'agent-hung-up' }]);
  // All of the goodbye was heard: 60 ms a letter.
  expect(call.line.playedBytes - before).toBe('Goodbye.'.length * 60 * 8);
});

test('results of tools reach the model, which goes on', async () => {
  const simulator = await simulate({
    reply: (turn, law) =>
      turn.kind === 'speech'
        ? {
            text: '',
            audio: Buffer.alloc(0),
            toolCalls: [
              { name: 'one', arguments: '{}' },
              { name: 'two', arguments: '{}' },
            ],
          }
        : { text: 'Done.', audio: toneFor('Done.', law) },
  });
  const call = await begin([simulator]);
  await call.speak();
  await call.hear();
  const outputs = simulator.session.items.filter(({ type }) => type === 'function_call_output');
  expect(outputs).toHaveLength(2);
  // The greeting, and one for both results.
  expect(simulator.session.receivedTypes.filter((type) => type === 'response.create')).toHaveLength(
    2,
  );
  expect(simulator.session.errors).toEqual([]);
});
