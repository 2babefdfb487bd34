import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { createRecogniser, type Recogniser } from '../../src/ai/local/speech.ts';
import type { Provider } from '../../src/ai/session.ts';
import { encode } from '../../src/media/audio/g711.ts';
import { Caller } from './caller.ts';
import { openPizzeria } from './pizzeria.ts';

let provider: Provider;
let ear: Recogniser;

beforeAll(() => {
  provider = openPizzeria();
  ear = createRecogniser({
    phrases: [
      'one (small | medium | large) (cheese | mushroom | pepperoni | vegetable) pizza it will be ready in twenty minutes',
      'we are open every day from noon until ten in the evening',
      'sorry i did not understand that could you say it again',
      'goodbye and thank you',
    ],
  });
});
afterAll(async () => {
  await provider.close();
  await ear.close();
});

async function caller(): Promise<Caller> {
  const one = new Caller();
  onTestFinished(() => one.hangUp());
  await one.call(provider);
  return one;
}

const answered = (one: Caller, times: number) =>
  one.until(() => one.of('reply-ended').length === times);

test('lines are understood, and the replies are the words they should be', async () => {
  const one = await caller();
  await one.say('I would like to order a large mushroom pizza please');
  await answered(one, 1);
  await one.say('No thank you, goodbye');
  await answered(one, 2);
  expect(one.understood).toEqual([
    'i would like to order a large mushroom pizza please',
    'no thank you goodbye',
  ]);
  expect(await ear.recognise(one.heard(0))).toMatchObject({
    text: 'one large mushroom pizza it will be ready in twenty minutes',
  });
  expect(await ear.recognise(one.heard(1))).toMatchObject({ text: 'goodbye and thank you' });
});

test.each(['slt', 'awb', 'kal'] as const)('the voice %s is understood', async (voice) => {
  const one = await caller();
  await one.say('what are your opening hours', voice);
  await one.until(() => one.understood.length === 1);
  expect(one.understood).toEqual(['what are your opening hours']);
});

test('what is not in the grammar is not taken for something that is', async () => {
  const one = await caller();
  await one.say('The weather is very nice in London today');
  await answered(one, 1);
  await one.say('I need to reset my password');
  await answered(one, 2);
  const sorry = 'Sorry, I did not understand that. Could you say it again?';
  expect(one.understood).toEqual(['', '']);
  expect(one.replies).toEqual([sorry, sorry]);
});

test('the beginning of speech is reported within two frames and the way to the thread', async () => {
  const one = await caller();
  const speech = await one.speechOf('what are your opening hours', 'slt');
  const onset = speech.findIndex((sample) => Math.abs(sample) > 400) / 8;
  const began = performance.now();
  await one.play(speech);
  const started = one.events.find(({ event }) => event.type === 'speech-started');
  expect((started?.at ?? 0) - began - onset).toBeLessThan(150);
});

function tone(frequencies: readonly number[], seconds: number): Int16Array {
  return Int16Array.from({ length: seconds * 8000 }, (_, n) =>
    frequencies.reduce((sum, f) => sum + 6000 * Math.sin((2 * Math.PI * f * n) / 8000), 0),
  );
}

function noise(amplitude: number, seconds: number): Int16Array {
  let seed = 7;
  return Int16Array.from({ length: seconds * 8000 }, () => {
    seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
    return amplitude * (seed / 2 ** 30 - 1);
  });
}

test.each([
  ['silence', new Int16Array(16_000)],
  ['a key', tone([770, 1336], 1)],
  ['ringback', tone([440, 480], 1)],
  ['a beep', tone([1000], 1)],
  ['noise', noise(1000, 1)],
])('%s is no speech', async (_, samples) => {
  const one = await caller();
  await one.play(samples);
  await delay(300);
  expect(one.types()).toEqual([]);
});

test('an interruption drops the rest of the reply, and the next words are answered', async () => {
  const one = new Caller();
  onTestFinished(() => one.hangUp());
  const session = await one.call(provider);
  session.say('One. Two. Three. Four. Five. Six. Seven. Eight. Nine. Ten. Eleven. Twelve.');
  await one.until(() => one.of('audio').length > 0);
  session.interrupt({ item: 'item_1', milliseconds: 100 });
  await one.until(() => one.of('reply-ended').length === 1);
  expect(one.of('reply-ended')).toMatchObject([{ status: 'cancelled' }]);
  const pieces = one.of('audio').length;
  expect(pieces).toBeLessThan(12);
  await one.say('goodbye');
  await answered(one, 2);
  expect(one.replies.at(-1)).toBe('Goodbye, and thank you.');
});

test('a key does what its intent says, at once', async () => {
  const one = new Caller();
  onTestFinished(() => one.hangUp());
  const session = await one.call(provider);
  session.appendDigit('1');
  session.appendDigit('7');
  await answered(one, 1);
  expect(one.replies[0]).toMatch(/^We are open every day/);
});

test('two callers at once do not hear each other', async () => {
  const [ann, bob] = [await caller(), await caller()];
  await Promise.all([ann.say('a small cheese pizza'), bob.say('when are you open', 'slt')]);
  await Promise.all([answered(ann, 1), answered(bob, 1)]);
  expect([ann.understood, bob.understood]).toEqual([
    ['a small cheese pizza'],
    ['when are you open'],
  ]);
});

test('a caller whose phone sends nothing instead of silence is answered all the same', async () => {
  const one = new Caller();
  onTestFinished(() => one.hangUp());
  const session = await one.connect(provider);
  session.appendAudio(encode('pcmu', await one.speechOf('when are you open')));
  await answered(one, 1);
  expect(one.understood).toEqual(['when are you open']);
});

test('words the recogniser does not know are refused with the way out', () => {
  const intents = [{ name: 'order', phrases: ['I want zwiebelkuchen'], reply: 'Fine.' }];
  const open = () => openPizzeria({ intents });
  expect(open).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
  expect(open).toThrow('intent "order" uses "zwiebelkuchen"');
});

test('a pronunciation makes such a word known to the recogniser', async () => {
  const other = openPizzeria({
    intents: [{ name: 'order', phrases: ['I want zwiebelkuchen please'], reply: 'Fine.' }],
    pronunciations: { zwiebelkuchen: 'Z W IY B AH L K UW K AH N' },
  });
  onTestFinished(() => other.close());
  const one = new Caller();
  onTestFinished(() => one.hangUp());
  await one.call(other);
  await one.say('I want zweeble kookan please');
  await answered(one, 1);
  expect(one.understood).toEqual(['i want zwiebelkuchen please']);
});

test.each([
  ['after a call', 'close-and-end.ts'],
  ['while the engines are loading', 'close-at-once.ts'],
])('a program that closes its provider %s ends: no thread is left', async (_, script) => {
  const file = join(import.meta.dirname, script);
  const { stdout } = await promisify(execFile)(process.execPath, [file], { timeout: 20_000 });
  expect(stdout.trim()).toBe('closed');
});
