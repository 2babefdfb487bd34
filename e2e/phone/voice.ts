import {
  createRecogniser,
  createSpeaker,
  createVoiceFinder,
  type Voice,
} from '@parley/connector/ai/local/speech';
import type { Call } from './call.ts';
import { pcmOf, samplesOf } from './hearing.ts';

/** What a phone understood of what it heard. */
export interface Understood {
  readonly text: string;
  readonly confidence: number;
  /** `performance.now()` of the first sound. */
  readonly began: number;
}

/** The person at a phone: speaks, and understands some phrases. */
export interface Person {
  /** Speaks into a call; resolves when all is said, to when it sounded (`performance.now()`). */
  speak(call: Call, text: string): Promise<{ readonly began: number; readonly ended: number }>;
  /** Synthesises ahead, so that `speak` begins at once. */
  rehearse(text: string): Promise<void>;
  /**
   * Waits until the other side has said something from sample `from` on and been silent for `pause` ms, and
   * says what it was. Undefined when nothing came within `patience` ms.
   */
  listen(call: Call, options?: ListenOptions): Promise<Understood | undefined>;
  close(): Promise<void>;
}

interface ListenOptions {
  readonly from?: number;
  readonly pause?: number;
  readonly patience?: number;
}

export interface PersonOptions {
  readonly voice: Voice;
  /** What this person can understand; as the phrases of intents. */
  readonly phrases: readonly string[];
}

/** About -36 dBFS: a voice, not its breath. */
const soundThreshold = 500;

function firstSound(samples: Int16Array): number {
  return samples.findIndex((sample) => Math.abs(sample) > soundThreshold);
}

function lastSound(samples: Int16Array): number {
  return samples.findLastIndex((sample) => Math.abs(sample) > soundThreshold);
}

export function createPerson({ voice, phrases }: PersonOptions): Person {
  const speaker = createSpeaker();
  const recogniser = createRecogniser({ phrases });
  const finder = createVoiceFinder();
  return {
    async speak(call, text) {
      const samples = samplesOf(await speaker.speak(text, voice));
      const at = performance.now();
      await call.media.play(samples);
      const ended = performance.now() - (samples.length - lastSound(samples)) / 8;
      return { began: at + firstSound(samples) / 8, ended };
    },
    async rehearse(text) {
      await speaker.speak(text, voice);
    },
    async listen(call, { from = 0, pause = 700, patience = 15_000 } = {}) {
      const { hearing } = call.media;
      const until = performance.now() + patience;
      for (;;) {
        const sound = hearing.soundAfter(from);
        const isOver = performance.now() > until || call.isReleased;
        if (sound && (hearing.quietFor >= pause || isOver)) return understand(call, from);
        if (isOver) return undefined;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    },
    async close() {
      await Promise.all([speaker.close(), recogniser.close(), finder.close()]);
    },
  };

  async function understand(call: Call, from: number): Promise<Understood> {
    const { hearing } = call.media;
    const began = hearing.soundAfter(from)?.at ?? 0;
    const pcm = pcmOf(hearing.samples(from));
    const [first] = await finder.utterances(pcm, 700);
    if (!first) return { text: '', confidence: 0, began };
    return { ...(await recogniser.recognise(first.pcm)), began };
  }
}
