import type { Clock } from '../../base/clock.ts';
import { messageOf } from '../../base/errors.ts';
import type { Log } from '../../base/log.ts';
import type { Session, SessionEvent, SessionOptions } from '../session.ts';
import { CallerEar } from './caller-ear.ts';
import type { Detector } from './detector.ts';
import {
  type DialogEffect,
  type DialogEvent,
  type DialogSetup,
  type DialogState,
  dialogOf,
  stepDialog,
} from './dialog.ts';
import type { SpeakerEngine } from './engines.ts';
import type { LocalOptions } from './options.ts';
import type { RecogniserJob } from './recogniser-worker.ts';
import { ReplySpeaker } from './reply-speaker.ts';
import { joined, type Segment } from './segmenter.ts';
import type { Recognition } from './soundswallower.ts';
import type { WorkerPool } from './worker-pool.ts';

export interface LocalSessionParts {
  readonly setup: DialogSetup;
  readonly options: LocalOptions;
  readonly detector: Pick<Detector, 'open'>;
  readonly recogniser: Pick<WorkerPool<RecogniserJob, Recognition>, 'run' | 'drop'>;
  readonly speaker: Pick<SpeakerEngine, 'speak' | 'drop'>;
  readonly clock: Clock;
  readonly log: Log;
  /** 0 ≤ x < 1. */
  readonly random: () => number;
  readonly onEvent: (event: SessionEvent) => void;
}

/** One caller's talk with the offline agent: ear, recogniser, dialog and voice joined. */
export class LocalSession implements Session {
  readonly #parts: LocalSessionParts;
  readonly #ear: CallerEar;
  readonly #voice: ReplySpeaker;
  #dialog: DialogState;
  /** Utterances are answered in the order they were said. */
  #understanding: Promise<void> = Promise.resolve();
  #unanswered = 0;
  /** Text of the present utterance as it was at its last pause: ready when the silence is over. */
  #guess: Promise<string> | undefined;
  /** What was not understood and is being continued: the two may make sense together. */
  #carried: Int16Array | undefined;
  /** What was to be said when the caller spoke again. */
  #held: string | undefined;
  #utterances = 0;
  #calls = 0;
  #isClosed = false;

  constructor(parts: LocalSessionParts, { format, history }: SessionOptions) {
    const { options, detector, clock, speaker } = parts;
    this.#parts = parts;
    this.#dialog = dialogOf(parts.setup, history);
    this.#voice = new ReplySpeaker({
      speaker,
      voice: options.voice,
      format,
      emit: (event) => this.#emit(event),
    });
    this.#ear = new CallerEar({
      detector,
      format,
      clock,
      endSilence: options.endSilenceMs,
      onSegment: (segment) => this.#segment(segment),
    });
  }

  appendAudio(audio: Buffer): void {
    if (!this.#isClosed) this.#ear.append(audio);
  }

  appendDigit(digit: string): void {
    this.#later({ type: 'digit', digit, callId: this.#callId() });
  }

  say(text: string): void {
    this.#later({ type: 'say', text });
  }

  respond(): void {
    this.#later({ type: 'respond', callId: this.#callId() });
  }

  /** What was heard needs no telling: the dialog remembers what was understood, not what was said. */
  interrupt(): void {
    queueMicrotask(() => {
      this.#held = undefined;
      this.#voice.stop();
    });
  }

  addToolResult(callId: string, output: string): void {
    this.#later({ type: 'tool-result', callId, output });
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#ear.close();
    this.#voice.stop();
    this.#parts.recogniser.drop(this);
  }

  /** Events never come from within a call of a method, as they would not from a provider far away. */
  #later(event: DialogEvent): void {
    queueMicrotask(() => {
      if (!this.#isClosed) this.#step(event);
    });
  }

  #step(event: DialogEvent): void {
    const [state, effects] = stepDialog(this.#parts.setup, this.#dialog, event);
    this.#dialog = state;
    for (const effect of effects) this.#run(effect);
  }

  #run(effect: DialogEffect): void {
    if (effect.type === 'call-tool') {
      const { callId, name, arguments: args } = effect;
      this.#emit({ type: 'tool-call', callId, name, arguments: args });
      return;
    }
    this.#voice.speak(effect.text);
  }

  #segment(segment: Segment): void {
    if (this.#isClosed) return;
    switch (segment.type) {
      case 'started':
        this.#utterances++;
        this.#emit({ type: 'speech-started' });
        break;
      case 'paused':
        this.#guess = this.#isIdle ? this.#recognise(segment.samples) : undefined;
        break;
      case 'stopped':
        this.#emit({ type: 'speech-stopped' });
        this.#stopped(segment);
    }
  }

  /** Utterances before are answered, so that the grammar is the one that will count. */
  get #isIdle(): boolean {
    return this.#unanswered === 0 && this.#carried === undefined;
  }

  #stopped({ samples, isAsPaused }: Extract<Segment, { type: 'stopped' }>): void {
    const item = `caller_${this.#utterances}`;
    const guess = isAsPaused ? this.#guess : undefined;
    this.#guess = undefined;
    this.#unanswered++;
    this.#understanding = this.#understanding.then(() => this.#understand(item, samples, guess));
  }

  /** Never rejects. `guess`: the text of the utterance, if it is in the making since the pause. */
  async #understand(
    item: string,
    samples: Int16Array,
    guess: Promise<string> | undefined,
  ): Promise<void> {
    const whole = this.#carried ? joined([this.#carried, samples]) : samples;
    this.#carried = undefined;
    const text = await (guess ?? this.#recognise(whole));
    if (this.#isClosed) return;
    this.#emit({ type: 'caller-transcript', item, text, final: true });
    this.#react(text, whole);
    this.#unanswered--;
  }

  #react(text: string, whole: Int16Array): void {
    if (text !== '') {
      this.#held = undefined;
      this.#answer({ type: 'heard', text, callId: this.#callId() });
    } else if (this.#held !== undefined) {
      const held = this.#held;
      this.#held = undefined;
      this.#answer({ type: 'say', text: held });
    } else if (this.#ear.isSpeaking) this.#carried = whole;
    else this.#answer({ type: 'not-understood' });
  }

  /** While the caller speaks again, the answer waits: it may be overtaken. */
  #answer(event: DialogEvent): void {
    if (!this.#ear.isSpeaking) {
      this.#step(event);
      return;
    }
    const [state, effects] = stepDialog(this.#parts.setup, this.#dialog, event);
    this.#dialog = state;
    for (const effect of effects) {
      if (effect.type === 'speak') this.#held = effect.text;
      else this.#run(effect);
    }
  }

  /** Empty when nothing of the grammar was said, or the recogniser failed. */
  async #recognise(samples: Int16Array): Promise<string> {
    const { setup, recogniser, options, clock, log } = this.#parts;
    const began = clock.now();
    try {
      const { text, confidence } = await recogniser.run(
        {
          samples,
          grammar: setup.script.grammar(this.#dialog.allowed),
          pronunciations: setup.script.pronunciations,
        },
        this,
      );
      const isUnderstood = text !== '' && confidence >= options.minConfidence;
      const took = Math.round(clock.now() - began);
      log.debug({ confidence, isUnderstood, took, pii: text }, 'utterance recognised');
      return isUnderstood ? text : '';
    } catch (error) {
      this.#emit({ type: 'fault', code: 'recognition-failed', message: messageOf(error) });
      return '';
    }
  }

  #callId(): string {
    const random = Math.floor(this.#parts.random() * 2 ** 32).toString(16);
    return `call_${++this.#calls}_${random}`;
  }

  #emit(event: SessionEvent): void {
    if (!this.#isClosed) this.#parts.onEvent(event);
  }
}
