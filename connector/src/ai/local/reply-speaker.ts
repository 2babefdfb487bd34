import { messageOf } from '../../base/errors.ts';
import { createConverter } from '../../media/audio/codecs.ts';
import { bytesOf } from '../../media/audio/pcm.ts';
import type { AudioFormat } from '../../media/format.ts';
import type { SessionEvent } from '../session.ts';
import type { SpeakerEngine } from './engines.ts';
import type { Voice } from './flite.ts';
import { sentencesOf } from './sentences.ts';

export interface ReplySpeakerOptions {
  readonly speaker: Pick<SpeakerEngine, 'speak' | 'drop'>;
  readonly voice: Voice;
  readonly format: AudioFormat;
  readonly emit: (event: SessionEvent) => void;
}

interface Reply {
  readonly id: string;
  readonly item: string;
  readonly text: string;
  spoken: string;
}

/** Speaks one reply after the other, sentence by sentence. */
export class ReplySpeaker {
  readonly #options: ReplySpeakerOptions;
  #waiting: string[] = [];
  #current: Reply | undefined;
  #count = 0;

  constructor(options: ReplySpeakerOptions) {
    this.#options = options;
  }

  /** Nothing is spoken of an empty text, but the reply begins and ends. */
  speak(text: string): void {
    this.#waiting.push(text);
    this.#next();
  }

  /** Ends the reply in progress as cancelled and forgets those that wait. */
  stop(): void {
    this.#waiting = [];
    const reply = this.#current;
    if (!reply) return;
    this.#current = undefined;
    this.#options.speaker.drop(this);
    this.#end(reply, 'cancelled');
  }

  #next(): void {
    if (this.#current) return;
    const text = this.#waiting.shift();
    if (text === undefined) return;
    const number = ++this.#count;
    const reply = { id: `reply_${number}`, item: `item_${number}`, text, spoken: '' };
    this.#current = reply;
    this.#options.emit({ type: 'reply-started', reply: reply.id });
    void this.#speak(reply);
  }

  /** Never rejects: what fails ends the reply as failed. */
  async #speak(reply: Reply): Promise<void> {
    const { emit, speaker, voice } = this.#options;
    try {
      for (const sentence of sentencesOf(reply.text)) {
        const samples = await speaker.speak(sentence, voice, this);
        if (reply !== this.#current) return;
        this.#deliver(reply, sentence, samples);
      }
    } catch (error) {
      if (reply !== this.#current) return;
      emit({ type: 'fault', code: 'speech-failed', message: messageOf(error) });
      this.#finish(reply, 'failed');
      return;
    }
    this.#finish(reply, 'completed');
  }

  #deliver(reply: Reply, sentence: string, samples: Int16Array): void {
    const { emit, format } = this.#options;
    const { id, item } = reply;
    const text = reply.spoken === '' ? sentence : ` ${sentence}`;
    reply.spoken += text;
    emit({ type: 'agent-transcript', item, text, final: false });
    emit({
      type: 'audio',
      reply: id,
      item,
      audio: createConverter('pcm8k', format)(bytesOf(samples)),
    });
  }

  #finish(reply: Reply, status: 'completed' | 'failed'): void {
    this.#current = undefined;
    this.#end(reply, status);
    this.#next();
  }

  #end(reply: Reply, status: 'completed' | 'cancelled' | 'failed'): void {
    const { emit } = this.#options;
    const { id, item, spoken } = reply;
    if (spoken !== '') {
      const text = status === 'completed' ? reply.text : spoken;
      emit({ type: 'agent-transcript', item, text, final: true });
    }
    emit({ type: 'reply-ended', reply: id, status });
  }
}
