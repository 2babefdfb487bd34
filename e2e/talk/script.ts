import { setTimeout as delay } from 'node:timers/promises';
import type { Call } from '../phone/call.ts';
import type { Phone } from '../phone/phone.ts';
import type { Person } from '../phone/voice.ts';
import type { Connector } from './connector.ts';
import { Scene } from './scene.ts';
import type { Screen } from './screen.ts';

export const lines = {
  order: 'I would like to order a large mushroom pizza please',
  hours: 'What are your opening hours?',
  enough: 'Thank you, that is enough',
  kitchen: 'Can I talk to the kitchen please?',
  goodbye: 'No thank you, goodbye',
  cook: 'Hello, this is the kitchen. Your pizza is in the oven.',
} as const;

/** What the caller must hear: the replies of examples/pizza.yaml. */
const replies = {
  greeting: 'Good morning, Bella Pizza. How can I help you?',
  order: 'One large mushroom pizza. It will be ready in twenty minutes.',
  stop: 'All right. What else can I do for you?',
  specials: 'Today we recommend the vegetable pizza with fresh mushrooms.',
  kitchen: 'One moment please. I will put you through to the kitchen.',
  goodbye: 'Thank you for calling Bella Pizza. Goodbye.',
} as const;

/** With other words in many places: who can hear only what he expects would hear it in anything. */
export const heardPhrases: readonly string[] = [
  '(good morning | good evening) (Bella | Venice | Royal) pizza how can I help you',
  'one (small | medium | large) (cheese | mushroom | pepperoni | vegetable) pizza ' +
    'it will be ready in (ten | twenty | thirty | forty | sixty) minutes',
  'all right what else can I (do for | bring) you',
  'today we recommend the (cheese | mushroom | pepperoni | vegetable) pizza ' +
    'with (fresh mushrooms | extra cheese | green pepper)',
  'one moment please I will put you through to the (kitchen | office | manager)',
  'thank you for calling (Bella | Venice | Royal) pizza (goodbye | good night)',
  'hello this is the (kitchen | office | manager) your pizza is (in the oven | on the way | ready)',
  'sorry I did not understand that could you say it again',
  'we are open every day from (noon | nine | ten) until (nine | ten | eleven) in the evening',
];

export interface Cast {
  readonly screen: Screen;
  /** Told the name of each step as it begins. */
  readonly onStep: (step: string) => void;
  readonly connector: Connector;
  readonly phone: Phone;
  readonly caller: Person;
  readonly cook: Person;
  /** Calls that reached the kitchen. */
  readonly kitchenCalls: readonly Call[];
}

/** What was measured, ms. */
export interface Measured {
  readonly setUp: number;
  readonly firstAudio: number;
  readonly bargeIn: number;
  readonly latencies: readonly number[];
  readonly recordings: readonly string[];
}

/** Plays the whole script; rejects at the first thing that is not as it should be. */
export async function play(cast: Cast): Promise<Measured> {
  const latencies: number[] = [];
  const { screen, onStep } = cast;
  screen.title('A call to the pizzeria');
  onStep('the call is answered');
  const first = await open(cast, latencies, []);
  onStep('the greeting is heard');
  const figures = await greeted(first);
  onStep('an order is understood');
  await first.scene.exchange(lines.order, replies.order);
  onStep('a long reply is interrupted');
  const bargeIn = await interrupt(first, cast);
  onStep('a key is understood');
  await pressKey(first);
  onStep('the caller is transferred to the kitchen');
  await transfer(first, cast);
  screen.title('A second call, that the AI ends');
  onStep('the AI says goodbye and hangs up');
  const second = await open(cast, latencies, [first.id]);
  await greeted(second);
  await goodbye(second);
  return { ...figures, bargeIn, latencies, recordings: [first.id, second.id] };
}

interface Opened {
  readonly scene: Scene;
  readonly call: Call;
  readonly id: string;
}

async function open(cast: Cast, latencies: number[], known: readonly string[]): Promise<Opened> {
  const { phone, connector, screen, caller } = cast;
  const call = await phone.dial(`sip:pizza@127.0.0.1:${connector.sipPort}`);
  await Promise.race([call.answered, delay(8000)]);
  if (call.times.answered === undefined) throw new Error('no answer in 8 s');
  const id = (await connector.calls()).find((one) => !known.includes(one));
  if (id === undefined) throw new Error('the API knows no call');
  return { call, id, scene: new Scene({ screen, connector, caller, call, id, latencies }) };
}

async function greeted({ scene, call }: Opened) {
  const { began } = await scene.hear(replies.greeting, 0);
  const answered = call.times.answered ?? 0;
  return { setUp: answered - call.times.begun, firstAudio: began - answered };
}

/** The caller speaks over a long reply; returns how long it went on after his first sound. */
async function interrupt({ scene, call }: Opened, { screen }: Cast): Promise<number> {
  const { hearing } = call.media;
  const from = hearing.length;
  await scene.say(lines.hours);
  for (let waited = 0; !hearing.soundAfter(from) && waited < 5000; waited += 20) await delay(20);
  if (!hearing.soundAfter(from)) scene.fail('the long reply did not begin');
  screen.does('AI', '(is telling the opening hours, about 11 s)');
  await delay(2500);
  const { began, ended } = await scene.say(lines.enough);
  const silent = hearing.silenceAfter(began);
  if (silent === undefined || silent > ended) return scene.fail('the AI went on talking');
  const took = silent - began;
  screen.does('AI falls silent', `${took.toFixed(0)} ms after the caller's first sound`);
  const silentFrom = hearing.frames.find(({ at }) => at >= silent)?.position ?? 0;
  await scene.hear(replies.stop, silentFrom, ended);
  return took;
}

async function pressKey({ scene, call }: Opened): Promise<void> {
  const from = call.media.hearing.length;
  await scene.press('2');
  await scene.hear(replies.specials, from);
}

/** REFER: the phone calls the kitchen, which answers in its own voice; the connector leaves. */
async function transfer({ scene, call }: Opened, cast: Cast): Promise<void> {
  const { screen, caller, cook, kitchenCalls } = cast;
  await scene.exchange(lines.kitchen, replies.kitchen);
  const onward = await scene.within(8000, call.transferred, 'no REFER came, or nobody answered it');
  const [kitchen] = kitchenCalls;
  if (!kitchen) return scene.fail('the kitchen got no call');
  await scene.within(3000, kitchen.answered, 'the kitchen could not answer');
  screen.says('kitchen', lines.cook);
  await cook.speak(kitchen, lines.cook);
  const heard = await caller.listen(onward, { patience: 8000 });
  const isRight = heard?.text === 'hello this is the kitchen your pizza is in the oven';
  screen.understood('caller', heard?.text ?? '', { isRight, note: 'from the kitchen' });
  if (!isRight) scene.fail('the caller did not hear the kitchen');
  const { by } = await scene.within(8000, call.ended, 'the connector did not hang up');
  if (by !== 'them') scene.fail('the phone hung up, not the connector');
  await onward.hangUp();
}

async function goodbye({ scene, call }: Opened): Promise<void> {
  await scene.exchange(lines.goodbye, replies.goodbye);
  const { by } = await scene.within(5000, call.ended, 'the AI did not hang up');
  if (by !== 'them') scene.fail('the phone hung up, not the AI');
}
