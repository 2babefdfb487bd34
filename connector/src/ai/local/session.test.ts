import { expect, test } from 'vitest';
import { FakeClock } from '../../../test/support/fake-clock.ts';
import { ConnectorError } from '../../base/errors.ts';
import { silentLog } from '../../base/log.ts';
import { encode } from '../../media/audio/g711.ts';
import type { SessionEvent } from '../session.ts';
import type { LocalOptions } from './options.ts';
import type { RecogniserJob } from './recogniser-worker.ts';
import { Script } from './script.ts';
import { frameSamples } from './segmenter.ts';
import { LocalSession } from './session.ts';
import type { Recognition } from './soundswallower.ts';
import { vocabularyOf } from './vocabulary.ts';

const options: LocalOptions = {
  voice: 'slt',
  slots: {},
  intents: [
    { name: 'hours', phrases: ['hours'], reply: 'Noon to ten. On Sundays to eight.' },
    { name: 'bye', phrases: ['bye'], reply: 'Bye.', tool: { name: 'hang_up', arguments: {} } },
  ],
  fallback: 'Pardon?',
  digits: { '1': 'hours' },
  endSilenceMs: 320,
  minConfidence: 0.9,
  pronunciations: {},
};

interface Job extends PromiseWithResolvers<Recognition> {
  readonly job: RecogniserJob;
}

/** A session whose detector takes loud frames for speech, and whose recogniser answers as the test says. */
function start() {
  const clock = new FakeClock();
  const events: SessionEvent[] = [];
  const jobs: Job[] = [];
  const synthesis: PromiseWithResolvers<Int16Array>[] = [];
  const session = new LocalSession(
    {
      setup: {
        script: new Script(options, vocabularyOf('hours x\nbye x\n')),
        options,
        greeting: 'Hello.',
      },
      options,
      clock,
      log: silentLog,
      random: () => 0.5,
      detector: {
        open: (onProbabilities) => ({
          push(samples) {
            const frames = samples.length / frameSamples;
            const loud = (n: number) => Math.abs(samples[n * frameSamples] ?? 0) > 1000;
            onProbabilities(Array.from({ length: frames }, (_, n) => (loud(n) ? 0.9 : 0)));
          },
          close: () => undefined,
        }),
      },
      recogniser: {
        run(job) {
          const made = { job, ...Promise.withResolvers<Recognition>() };
          jobs.push(made);
          return made.promise;
        },
        drop: () => undefined,
      },
      speaker: {
        speak() {
          const made = Promise.withResolvers<Int16Array>();
          synthesis.push(made);
          return made.promise;
        },
        drop: () => undefined,
      },
      onEvent: (event) => events.push(event),
    },
    { format: 'pcmu', instructions: '', tools: [], history: [] },
  );
  return {
    session,
    clock,
    jobs,
    synthesis,
    events,
    /** Frames of 32 ms. */
    hear: (frames: number, value: number) =>
      session.appendAudio(encode('pcmu', new Int16Array(frames * frameSamples).fill(value))),
    types: () => events.map(({ type }) => type),
    replies: () =>
      events.flatMap((event) =>
        event.type === 'agent-transcript' && event.final ? [event.text] : [],
      ),
    speakAll: async () => {
      for (let turn = 0; turn < 30; turn++) {
        for (const one of synthesis.splice(0)) one.resolve(new Int16Array(80));
        await Promise.resolve();
      }
    },
  };
}

const speech = 5000;
const said = (text: string, confidence = 0.95): Recognition => ({ text, confidence });

test('an utterance is reported, recognised at its pause, answered sentence by sentence', async () => {
  const { hear, jobs, types, speakAll, events, replies } = start();
  hear(10, speech);
  hear(5, 0);
  expect(types()).toEqual(['speech-started']);
  expect(jobs).toHaveLength(1);
  hear(5, 0);
  jobs[0]?.resolve(said('hours'));
  await speakAll();
  expect(jobs).toHaveLength(1);
  expect(types()).toEqual([
    'speech-started',
    'speech-stopped',
    'caller-transcript',
    'reply-started',
    'agent-transcript',
    'audio',
    'agent-transcript',
    'audio',
    'agent-transcript',
    'reply-ended',
  ]);
  expect(events.at(-1)).toMatchObject({ reply: 'reply_1', status: 'completed' });
  expect(replies()).toEqual(['Noon to ten. On Sundays to eight.']);
});

test('what was recognised at a pause is forgotten when the caller goes on', async () => {
  const { hear, jobs, speakAll, events } = start();
  hear(10, speech);
  hear(6, 0);
  hear(10, speech);
  hear(10, 0);
  jobs[0]?.resolve(said('bye'));
  jobs[1]?.resolve(said('hours'));
  await speakAll();
  expect(events.filter(({ type }) => type === 'caller-transcript')).toMatchObject([
    { text: 'hours' },
  ]);
});

test.each([
  ['sounds that are no phrase', said('', 0)],
  ['a phrase that is doubtful', said('hours', 0.89)],
])('%s are not understood', async (_, recognition) => {
  const { hear, jobs, speakAll, replies, events } = start();
  hear(10, speech);
  hear(10, 0);
  jobs[0]?.resolve(recognition);
  await speakAll();
  expect(events[2]).toMatchObject({ type: 'caller-transcript', text: '', final: true });
  expect(replies()).toEqual(['Pardon?']);
});

test('a recogniser that fails is a fault, and counts as not understood', async () => {
  const { hear, jobs, speakAll, types, replies } = start();
  hear(10, speech);
  hear(10, 0);
  jobs[0]?.reject(new ConnectorError('PROVIDER_UNAVAILABLE', 'recogniser: it ended'));
  await speakAll();
  expect(types()).toContain('fault');
  expect(replies()).toEqual(['Pardon?']);
});

test('words that were not understood are heard once more with those that follow at once', async () => {
  const { hear, jobs, speakAll, replies } = start();
  hear(10, speech);
  hear(10, 0);
  hear(10, speech);
  jobs[0]?.resolve(said('', 0));
  await speakAll();
  expect(replies()).toEqual([]);
  hear(10, 0);
  await speakAll();
  expect(jobs[1]?.job.samples.length).toBeGreaterThan(jobs[0]?.job.samples.length ?? 0);
  jobs[1]?.resolve(said('hours'));
  await speakAll();
  expect(replies()).toEqual(['Noon to ten. On Sundays to eight.']);
});

test('an answer waits while the caller speaks again, and is given when that was nothing', async () => {
  const { hear, jobs, speakAll, replies } = start();
  hear(10, speech);
  hear(10, 0);
  hear(10, speech);
  jobs[0]?.resolve(said('hours'));
  await speakAll();
  expect(replies()).toEqual([]);
  hear(10, 0);
  await speakAll();
  jobs[1]?.resolve(said('', 0));
  await speakAll();
  expect(replies()).toEqual(['Noon to ten. On Sundays to eight.']);
});

test('a tool is called while its announcement is being made', async () => {
  const { hear, jobs, speakAll, types, events } = start();
  hear(10, speech);
  hear(10, 0);
  jobs[0]?.resolve(said('bye'));
  await speakAll();
  expect(types().slice(2, 6)).toEqual([
    'caller-transcript',
    'reply-started',
    'tool-call',
    'agent-transcript',
  ]);
  expect(events[4]).toMatchObject({ name: 'hang_up', arguments: '{}' });
});

test('an interruption ends the reply as cancelled, drops what waits and what comes late', async () => {
  const { session, speakAll, events, types, synthesis } = start();
  session.say('One. Two.');
  session.say('Three.');
  await Promise.resolve();
  synthesis[0]?.resolve(new Int16Array(80));
  for (let turn = 0; turn < 5; turn++) await Promise.resolve();
  session.interrupt();
  await speakAll();
  expect(types()).toEqual([
    'reply-started',
    'agent-transcript',
    'audio',
    'agent-transcript',
    'reply-ended',
  ]);
  expect(events.slice(-2)).toMatchObject([{ text: 'One.', final: true }, { status: 'cancelled' }]);
});

test('no event comes from within a call of a method', async () => {
  const { session, types } = start();
  session.say('Hello.');
  session.respond();
  session.appendDigit('1');
  expect(types()).toEqual([]);
  await Promise.resolve();
  expect(types()).toEqual(['reply-started']);
});

test('a phone that stops sending in mid-speech has said all', async () => {
  const { hear, clock, jobs, speakAll, replies, types } = start();
  hear(10, speech);
  clock.advance(319);
  expect(types()).toEqual(['speech-started']);
  clock.advance(1);
  await speakAll();
  jobs[0]?.resolve(said('hours'));
  await speakAll();
  expect(replies()).toEqual(['Noon to ten. On Sundays to eight.']);
});

test('a speaker that fails ends the reply as failed', async () => {
  const { session, synthesis, speakAll, types, events } = start();
  session.say('Hello.');
  await Promise.resolve();
  synthesis[0]?.reject(new ConnectorError('PROVIDER_UNAVAILABLE', 'speaker: it ended'));
  synthesis.splice(0);
  await speakAll();
  expect(types()).toEqual(['reply-started', 'fault', 'reply-ended']);
  expect(events.at(-1)).toMatchObject({ status: 'failed' });
});

test('after close nothing is reported', async () => {
  const { session, hear, speakAll, types, clock } = start();
  hear(10, speech);
  session.say('Hello.');
  session.close();
  session.close();
  hear(10, 0);
  clock.advance(10_000);
  await speakAll();
  expect(types()).toEqual(['speech-started']);
});
