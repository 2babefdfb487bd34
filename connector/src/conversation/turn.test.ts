import type { Arbitrary } from 'fast-check';
import {
  array,
  assert,
  constant,
  constantFrom,
  integer,
  oneof,
  property,
  record,
} from 'fast-check';
import { expect, test } from 'vitest';
import type { Position, TurnEffect, TurnEvent, TurnState } from './turn.ts';
import { accepts, initialTurn, isSilent, step } from './turn.ts';

const at = (queued: number, played: number): Position => ({
  queued: queued * 8,
  played: played * 8,
});

/** Runs events at positions (ms queued, ms played) and collects the effects. */
function run(...events: [TurnEvent, Position][]): {
  state: TurnState;
  effects: readonly TurnEffect[];
} {
  let state = initialTurn;
  const effects: TurnEffect[] = [];
  for (const [event, position] of events) {
    const [next, more] = step(state, event, position);
    state = next;
    effects.push(...more);
  }
  return { state, effects };
}

const started = (reply: string): TurnEvent => ({ type: 'reply-started', reply });
const ended = (reply: string, isComplete = true): TurnEvent => ({
  type: 'reply-ended',
  reply,
  isComplete,
});
const item = (reply: string, name: string, session = 0): TurnEvent => ({
  type: 'item-started',
  session,
  reply,
  item: name,
});
const speech: TurnEvent = { type: 'speech-started' };
const settled = (name: string, [heard, received]: number[], isInterrupted: boolean) => ({
  type: 'settled',
  session: 0,
  item: name,
  heard,
  received,
  isInterrupted,
});

test('speech while a reply plays clears the line and tells what was heard of it', () => {
  const { state, effects } = run(
    [started('r'), at(0, 0)],
    [item('r', 'i'), at(0, 0)],
    [speech, at(1000, 340)],
  );
  expect(effects).toEqual([
    { type: 'clear' },
    { type: 'interrupt', heard: { item: 'i', milliseconds: 340 } },
    settled('i', [340, 1000], true),
  ]);
  expect(accepts(state, 'r')).toBe(false);
  expect(accepts(state, 'r2')).toBe(true);
});

test('a reply that is complete at the provider but still plays is truncated too', () => {
  const { effects } = run(
    [started('r'), at(0, 0)],
    [item('r', 'i'), at(0, 0)],
    [ended('r'), at(1000, 20)],
    [speech, at(1000, 500)],
  );
  expect(effects).toContainEqual({
    type: 'interrupt',
    heard: { item: 'i', milliseconds: 500 },
  });
});

test('speech after all was played and ended interrupts nothing', () => {
  const { effects } = run(
    [started('r'), at(0, 0)],
    [item('r', 'i'), at(0, 0)],
    [ended('r'), at(1000, 20)],
    [{ type: 'played' }, at(1000, 1000)],
    [speech, at(1000, 1000)],
  );
  expect(effects).toEqual([settled('i', [1000, 1000], false)]);
});

test('speech while a reply that still comes has been played so far cuts it there', () => {
  const { state, effects } = run(
    [started('r'), at(0, 0)],
    [item('r', 'i'), at(0, 0)],
    [{ type: 'played' }, at(200, 200)],
    [speech, at(200, 200)],
  );
  expect(effects).toEqual([
    { type: 'interrupt', heard: { item: 'i', milliseconds: 200 } },
    settled('i', [200, 200], true),
  ]);
  expect(accepts(state, 'r')).toBe(false);
});

test('of two items queued, the first is told as heard in part and the second as not heard', () => {
  const { effects } = run(
    [started('r1'), at(0, 0)],
    [item('r1', 'a'), at(0, 0)],
    [ended('r1'), at(400, 0)],
    [started('r2'), at(400, 0)],
    [item('r2', 'b'), at(400, 0)],
    [ended('r2'), at(1000, 20)],
    [speech, at(1000, 100)],
  );
  expect(effects).toEqual([
    { type: 'clear' },
    { type: 'interrupt', heard: { item: 'a', milliseconds: 100 } },
    { type: 'interrupt', heard: { item: 'b', milliseconds: 0 } },
    settled('a', [100, 400], true),
    settled('b', [0, 600], true),
  ]);
});

test('an item that was heard to its end is not truncated when the next one is', () => {
  const { effects } = run(
    [started('r'), at(0, 0)],
    [item('r', 'a'), at(0, 0)],
    [item('r', 'b'), at(400, 0)],
    [speech, at(1000, 700)],
  );
  expect(effects).toContainEqual({ type: 'interrupt', heard: { item: 'b', milliseconds: 300 } });
  expect(effects.filter(({ type }) => type === 'interrupt')).toHaveLength(1);
});

test('items that alternate are counted over all their pieces', () => {
  const { effects } = run(
    [started('r'), at(0, 0)],
    [item('r', 'a'), at(0, 0)],
    [item('r', 'b'), at(100, 0)],
    [item('r', 'a'), at(200, 0)],
    [speech, at(300, 250)],
  );
  expect(effects).toContainEqual({ type: 'interrupt', heard: { item: 'a', milliseconds: 150 } });
});

test('speech before the first sound of a reply stops it without an item', () => {
  const { state, effects } = run([started('r'), at(0, 0)], [speech, at(0, 0)]);
  expect(effects).toEqual([{ type: 'interrupt', heard: undefined }]);
  expect(accepts(state, 'r')).toBe(false);
});

test('a reply asked for before the caller spoke is dropped when it begins while he speaks', () => {
  const { state, effects } = run(
    [{ type: 'asked' }, at(0, 0)],
    [speech, at(0, 0)],
    [started('r'), at(0, 0)],
  );
  expect(effects).toEqual([
    { type: 'interrupt', heard: undefined },
    { type: 'interrupt', heard: undefined },
  ]);
  expect(accepts(state, 'r')).toBe(false);
});

test('the reply to the speech itself is played', () => {
  const { state } = run(
    [{ type: 'asked' }, at(0, 0)],
    [speech, at(0, 0)],
    [{ type: 'speech-stopped' }, at(0, 0)],
    [started('r'), at(0, 0)],
  );
  expect(accepts(state, 'r')).toBe(true);
});

test.each<{ name: string; mode: 'protected' | 'muted'; event: TurnEvent }>([
  { name: 'speech in a protected phrase', mode: 'protected', event: speech },
  { name: 'a key in a protected phrase', mode: 'protected', event: { type: 'digit' } },
  { name: 'speech in a transfer', mode: 'muted', event: speech },
])('$name cuts nothing', ({ mode, event }) => {
  const { effects } = run(
    [{ type: 'mode', mode }, at(0, 0)],
    [item('phrase', 'phrase', -1), at(0, 0)],
    [event, at(1000, 100)],
  );
  expect(effects).toEqual([]);
});

test('a reply that begins in a transfer is stopped and not heard', () => {
  const { state, effects } = run(
    [{ type: 'mode', mode: 'muted' }, at(0, 0)],
    [started('r'), at(0, 0)],
  );
  expect(effects).toEqual([{ type: 'interrupt', heard: undefined }]);
  expect(accepts(state, 'r')).toBe(false);
});

test('a key stops sound, and lets a model think', () => {
  const thinking = run([started('r'), at(0, 0)], [{ type: 'digit' }, at(0, 0)]);
  expect(thinking.effects).toEqual([]);
  const sounding = run(
    [started('r'), at(0, 0)],
    [item('r', 'i'), at(0, 0)],
    [{ type: 'digit' }, at(100, 50)],
  );
  expect(sounding.effects[0]).toEqual({ type: 'clear' });
});

test('an item of a lost session is cut off without a word to the next session', () => {
  const { effects } = run(
    [started('r'), at(0, 0)],
    [item('r', 'i'), at(0, 0)],
    [ended('r'), at(1000, 20)],
    [{ type: 'session-lost' }, at(1000, 40)],
    [speech, at(1000, 60)],
  );
  expect(effects).toEqual([{ type: 'clear' }, settled('i', [60, 1000], true)]);
});

test('a reply that its session could not finish counts as broken off, though it is played', () => {
  const { effects } = run(
    [started('r'), at(0, 0)],
    [item('r', 'i'), at(0, 0)],
    [{ type: 'session-lost' }, at(1000, 40)],
    [{ type: 'played' }, at(1000, 1000)],
  );
  expect(effects).toEqual([settled('i', [1000, 1000], true)]);
});

test('the end of the call settles what was being played', () => {
  const { effects } = run(
    [started('r'), at(0, 0)],
    [item('r', 'i'), at(0, 0)],
    [{ type: 'ended' }, at(1000, 40)],
  );
  expect(effects).toEqual([settled('i', [40, 1000], true)]);
});

test('silence is nothing asked for, nothing in production and nothing queued', () => {
  const asked = run([{ type: 'asked' }, at(0, 0)]).state;
  const producing = run([started('r'), at(0, 0)]).state;
  expect(isSilent(initialTurn, at(20, 20))).toBe(true);
  expect(isSilent(initialTurn, at(20, 0))).toBe(false);
  expect(isSilent(asked, at(0, 0))).toBe(false);
  expect(isSilent(producing, at(0, 0))).toBe(false);
});

// A model of provider and line around the machine: whatever the order of events, the promises hold.

type Action =
  | { readonly kind: 'audio'; readonly reply: number; readonly item: number; readonly ms: number }
  | { readonly kind: 'start'; readonly reply: number }
  | { readonly kind: 'end'; readonly reply: number }
  | { readonly kind: 'play'; readonly ms: number }
  | { readonly kind: 'event'; readonly event: TurnEvent };

const small = integer({ min: 0, max: 3 });
const milliseconds = integer({ min: 1, max: 500 });
const plain = constantFrom<TurnEvent>(
  speech,
  { type: 'speech-stopped' },
  { type: 'digit' },
  { type: 'asked' },
  { type: 'silenced' },
  { type: 'session-lost' },
  { type: 'mode', mode: 'open' },
  { type: 'mode', mode: 'protected' },
  { type: 'mode', mode: 'muted' },
);
const action = oneof<Arbitrary<Action>[]>(
  record({ kind: constant('audio'), reply: small, item: small, ms: milliseconds }),
  record({ kind: constant('start'), reply: small }),
  record({ kind: constant('end'), reply: small }),
  record({ kind: constant('play'), ms: milliseconds }),
  record({ kind: constant('event'), event: plain }),
);

interface Queued {
  readonly reply: string;
  readonly item: string;
  bytes: number;
}

class Model {
  state = initialTurn;
  #queue: Queued[] = [];
  #queued = 0;
  #played = 0;
  readonly #received = new Map<string, number>();
  readonly #cutOff = new Set<string>();
  #generation = 0;
  readonly faults: string[] = [];

  run(of: Action): void {
    if (of.kind === 'audio')
      this.#audio(this.#name(of.reply), `${this.#name(of.reply)}.${of.item}`, of.ms);
    else if (of.kind === 'start') this.#step(started(this.#name(of.reply)));
    else if (of.kind === 'end') this.#step(ended(this.#name(of.reply)));
    else if (of.kind === 'play') this.#play(of.ms * 8);
    else this.#step(of.event);
  }

  /** Replies of another session or of another day have other names. */
  #name(reply: number): string {
    return `g${this.#generation}r${reply}`;
  }

  #audio(reply: string, name: string, ms: number): void {
    if (!accepts(this.state, reply)) return;
    if (this.#cutOff.has(reply)) this.faults.push(`${reply} was cut off and is played`);
    this.#step(item(reply, name, this.state.session));
    this.#queue.push({ reply, item: name, bytes: ms * 8 });
    this.#queued += ms * 8;
    this.#received.set(name, (this.#received.get(name) ?? 0) + ms);
  }

  #play(bytes: number): void {
    let left = bytes;
    for (let first = this.#queue[0]; first && left > 0; first = this.#queue[0]) {
      const piece = Math.min(left, first.bytes);
      if (this.#cutOff.has(first.reply)) this.faults.push(`${first.reply} is heard after the cut`);
      first.bytes -= piece;
      left -= piece;
      this.#played += piece;
      if (first.bytes === 0) this.#queue.shift();
    }
    if (this.#queue.length === 0) this.#step({ type: 'played' });
  }

  #step(event: TurnEvent): void {
    const before = this.state;
    const [next, effects] = step(before, event, { queued: this.#queued, played: this.#played });
    this.state = next;
    for (const effect of effects) this.#check(effect);
    const isCut =
      event.type === 'silenced' || (event.type === 'speech-started' && before.mode === 'open');
    if (isCut && this.#queue.length > 0) this.faults.push('something is queued after a cut');
    if (isCut && before.reply !== undefined) this.#cutOff.add(before.reply);
    if (event.type === 'session-lost') this.#generation++;
    const starts = this.state.spans.map(({ start }) => start);
    if (starts.some((start, index) => index > 0 && start < (starts[index - 1] ?? 0)))
      this.faults.push('spans are out of order');
    if (starts.some((start) => start > this.#queued))
      this.faults.push('a span begins in the future');
  }

  #check(effect: TurnEffect): void {
    if (effect.type === 'clear') {
      for (const { reply } of this.#queue) this.#cutOff.add(reply);
      this.#queue = [];
      this.#queued = this.#played;
    } else {
      const heard = effect.type === 'interrupt' ? effect.heard?.milliseconds : effect.heard;
      const name = effect.type === 'interrupt' ? effect.heard?.item : effect.item;
      if (name === undefined || heard === undefined) return;
      if (heard < 0 || heard > (this.#received.get(name) ?? 0))
        this.faults.push(`heard ${heard} ms of ${name}`);
    }
  }
}

test('no byte of a reply is played after its cut, and no more is heard than was received', () => {
  assert(
    property(array(action, { maxLength: 60 }), (actions) => {
      const model = new Model();
      for (const one of actions) model.run(one);
      expect(model.faults).toEqual([]);
    }),
    { numRuns: 2000, seed: 7 },
  );
});
