import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { ConnectorError } from '../base/errors.ts';
import type { Law } from '../media/law.ts';
import type { HistoryItem, Provider, Session, SessionEvent, ToolSpec } from './session.ts';

/** What every provider promises, as tests that run against a live one (real sockets, real time). */

/** A provider ready to be used, and a caller it understands. */
export interface Stage {
  readonly provider: Provider;
  readonly law: Law;
  /** G.711 of a sentence that is answered with speech. */
  readonly sentence: Buffer;
  /** G.711 of a sentence that makes the model call `tool`, and whose result it then speaks about. */
  readonly toolSentence: Buffer;
  readonly tool: ToolSpec;
  /** Something that takes a few seconds to say. */
  readonly longText: string;
  /** Breaks the running session from the other side; undefined where there is no other side. */
  readonly lose: (() => void) | undefined;
  close(): Promise<void>;
}

export interface SessionCaseOptions {
  /** Tests (by their whole name) that a provider cannot pass, and why. */
  readonly skip?: readonly { readonly reason: string; readonly tests: readonly string[] }[];
}

const promises = [
  {
    title: 'what the caller says is heard, written down and answered, in this order',
    check: answers,
  },
  { title: 'a text is spoken on demand', check: says },
  {
    title: 'an interruption ends the audio of a reply, and the next one is heard',
    check: interrupts,
  },
  { title: 'a tool is called and its result is answered', check: callsTool },
  { title: 'a session with a history does not greet', check: continues },
  { title: 'after close nothing is reported and nothing throws', check: closes },
  { title: 'an opening that was given up is rejected', check: aborts },
  { title: 'a lost session says so once, as the last thing', check: loses },
] as const;

export function sessionCase(
  name: string,
  make: () => Promise<Stage>,
  { skip = [] }: SessionCaseOptions = {},
): void {
  const reasons = new Map(skip.flatMap(({ reason, tests }) => tests.map((one) => [one, reason])));
  describe(`${name} as a provider of sessions`, () => {
    test.for(promises)('$title', async ({ title, check }, context) => {
      const reason = reasons.get(title);
      if (reason !== undefined) context.skip(reason);
      expect.hasAssertions();
      const stage = await make();
      onTestFinished(() => stage.close());
      await check(stage);
    });
  });
}

async function answers(stage: Stage): Promise<void> {
  const { session, events } = await open(stage);
  speak(session, stage, stage.sentence);
  await events.until((event) => event.type === 'reply-ended');
  await events.until((event) => event.type === 'caller-transcript' && event.final);
  const order = ['speech-started', 'speech-stopped', 'reply-started', 'audio', 'reply-ended'];
  expect(events.firsts(order)).toEqual(order);
  expect(events.of('reply-ended')).toMatchObject([{ status: 'completed' }]);
  expectOneReply(events);
}

async function says(stage: Stage): Promise<void> {
  const { session, events } = await open(stage);
  session.say('Good morning.');
  await events.until((event) => event.type === 'reply-ended');
  expectOneReply(events);
  expect(events.of('agent-transcript').some(({ final }) => final)).toBe(true);
}

async function interrupts(stage: Stage): Promise<void> {
  const { session, events } = await open(stage);
  session.say(stage.longText);
  await events.until((event) => event.type === 'audio');
  const [first] = events.of('audio');
  session.interrupt({ item: first?.item ?? '', milliseconds: 100 });
  const before = events.bytesOf(first?.reply);
  session.say('Yes?');
  await events.until((event) => event.type === 'reply-ended' && event.reply !== first?.reply);
  expect(events.bytesOf(first?.reply)).toBe(before);
  expect(events.of('reply-ended')).toHaveLength(2);
  expect(events.bytesOf(events.of('reply-ended')[1]?.reply)).toBeGreaterThan(0);
}

async function callsTool(stage: Stage): Promise<void> {
  const { session, events } = await open(stage);
  speak(session, stage, stage.toolSentence);
  await events.until((event) => event.type === 'tool-call');
  const calls = events.of('tool-call');
  expect(calls.map((call) => call.name)).toEqual([stage.tool.name]);
  expect(JSON.parse(calls[0]?.arguments ?? '')).toBeTypeOf('object');
  const asked = events.all.length;
  session.addToolResult(calls[0]?.callId ?? '', '{"status":"ready"}');
  session.respond();
  await events.until((event, index) => index >= asked && event.type === 'audio');
  expect(events.of('tool-call')).toHaveLength(1);
}

async function continues(stage: Stage): Promise<void> {
  const history: HistoryItem[] = [
    { kind: 'message', role: 'agent', text: 'Good morning.' },
    { kind: 'message', role: 'caller', text: 'Good morning, is it ready?' },
    { kind: 'tool-call', callId: 'earlier', name: stage.tool.name, arguments: '{}' },
    { kind: 'tool-result', callId: 'earlier', output: 'unknown' },
  ];
  const { session, events } = await open(stage, history);
  session.appendAudio(quiet(stage, 400));
  await delay(400);
  expect(events.all).toEqual([]);
  session.say('I am still here.');
  await events.until((event) => event.type === 'reply-ended');
  expectOneReply(events);
}

async function closes(stage: Stage): Promise<void> {
  const { session, events } = await open(stage);
  session.say(stage.longText);
  await events.until((event) => event.type === 'reply-started');
  session.close();
  const reported = events.all.length;
  session.close();
  session.appendAudio(stage.sentence);
  session.appendDigit('5');
  session.say('Nobody hears this.');
  session.respond();
  session.interrupt({ item: 'none', milliseconds: 10 });
  session.addToolResult('none', '');
  await delay(300);
  expect(events.all.slice(reported)).toEqual([]);
}

async function aborts(stage: Stage): Promise<void> {
  const events = new Recorder();
  const late = new AbortController();
  const opening = stage.provider.open(optionsOf(stage, []), events.record, late.signal);
  late.abort();
  await expect(opening).rejects.toBeInstanceOf(ConnectorError);
  const early = stage.provider.open(optionsOf(stage, []), events.record, AbortSignal.abort());
  await expect(early).rejects.toBeInstanceOf(ConnectorError);
  expect(events.all).toEqual([]);
}

async function loses(stage: Stage): Promise<void> {
  const { session, events } = await open(stage);
  stage.lose?.();
  await events.until((event) => event.type === 'lost');
  session.appendAudio(stage.sentence);
  session.say('Is anybody there?');
  session.close();
  await delay(200);
  expect(events.of('lost')).toHaveLength(1);
  expect(events.all.at(-1)?.type).toBe('lost');
}

/** One reply was heard, under one name, with audio, started and ended once. */
function expectOneReply(events: Recorder): void {
  const [started, ...more] = events.of('reply-started');
  expect(more).toEqual([]);
  expect(events.bytesOf(started?.reply)).toBeGreaterThan(800);
  expect(new Set(events.of('audio').map(({ reply }) => reply))).toEqual(new Set([started?.reply]));
  expect(events.of('reply-ended').map(({ reply }) => reply)).toEqual([started?.reply]);
}

async function open(
  stage: Stage,
  history: readonly HistoryItem[] = [],
): Promise<{ session: Session; events: Recorder }> {
  const events = new Recorder();
  const { signal } = new AbortController();
  const session = await stage.provider.open(optionsOf(stage, history), events.record, signal);
  onTestFinished(() => session.close());
  return { session, events };
}

function optionsOf(stage: Stage, history: readonly HistoryItem[]) {
  return { format: stage.law, instructions: 'Answer briefly.', tools: [stage.tool], history };
}

/** A sentence and the pause after it, in packets as RTP brings them. */
function speak(session: Session, stage: Stage, sentence: Buffer): void {
  const audio = Buffer.concat([quiet(stage, 200), sentence, quiet(stage, 1500)]);
  for (let at = 0; at < audio.length; at += 160) session.appendAudio(audio.subarray(at, at + 160));
}

function quiet({ law }: Stage, milliseconds: number): Buffer {
  return Buffer.alloc(milliseconds * 8, law === 'pcmu' ? 0xff : 0xd5);
}

type Matcher = (event: SessionEvent, index: number) => boolean;

const patience = 15_000;

/** All that a session reported. */
class Recorder {
  readonly all: SessionEvent[] = [];
  readonly #waiting = new Set<() => void>();

  readonly record = (event: SessionEvent): void => {
    this.all.push(event);
    for (const check of this.#waiting) check();
  };

  /** Resolves when an event matches, at once if one did already. */
  async until(matches: Matcher): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const check = () => {
      if (this.all.some(matches)) resolve();
    };
    const seen = () => this.all.map(({ type }) => type).join(' ');
    const limit = setTimeout(
      () => reject(new Error(`not reported in ${patience} ms; seen: ${seen()}`)),
      patience,
    );
    this.#waiting.add(check);
    check();
    try {
      await promise;
    } finally {
      clearTimeout(limit);
      this.#waiting.delete(check);
    }
  }

  of<Type extends SessionEvent['type']>(type: Type): Extract<SessionEvent, { type: Type }>[] {
    return this.all.filter(
      (event): event is Extract<SessionEvent, { type: Type }> => event.type === type,
    );
  }

  /** Those types in the order of their first event. */
  firsts(types: readonly string[]): string[] {
    return [...new Set(this.all.map(({ type }) => type))].filter((type) => types.includes(type));
  }

  bytesOf(reply: string | undefined): number {
    return this.of('audio')
      .filter((event) => event.reply === reply)
      .reduce((sum, { audio }) => sum + audio.length, 0);
  }
}
