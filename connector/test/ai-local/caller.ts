import { setTimeout as delay } from 'node:timers/promises';
import { createSpeaker, type Voice } from '../../src/ai/local/speech.ts';
import type { HistoryItem, Provider, Session, SessionEvent } from '../../src/ai/session.ts';
import { decode, encode, silenceByte } from '../../src/media/audio/g711.ts';
import type { Law } from '../../src/media/law.ts';

const packet = 160;

export function samplesOf(pcm: Buffer): Int16Array {
  return Int16Array.from({ length: pcm.length >> 1 }, (_, n) => pcm.readInt16LE(2 * n));
}

function pcmOf(samples: Int16Array): Buffer {
  const pcm = Buffer.alloc(2 * samples.length);
  for (const [n, sample] of samples.entries()) pcm.writeInt16LE(sample, 2 * n);
  return pcm;
}

/** A caller who talks with a session in real time, and remembers what it reported. */
export class Caller {
  readonly events: { readonly at: number; readonly event: SessionEvent }[] = [];
  readonly #law: Law;
  readonly #speaker = createSpeaker();
  #session: Session | undefined;
  readonly #waiting: Buffer[] = [];
  readonly #hungUp = new AbortController();
  #line: Promise<void> = Promise.resolve();

  constructor(law: Law = 'pcmu') {
    this.#law = law;
  }

  /** Opens a session and begins to send, silence at first. */
  async call(provider: Provider, history: readonly HistoryItem[] = []): Promise<Session> {
    const session = await this.connect(provider, history);
    this.#line = this.#run();
    return session;
  }

  /** Opens a session that gets only what the test gives it. */
  async connect(provider: Provider, history: readonly HistoryItem[] = []): Promise<Session> {
    const options = { format: this.#law, instructions: '', tools: [], history };
    const listen = (event: SessionEvent) => this.events.push({ at: performance.now(), event });
    this.#session = await provider.open(options, listen, new AbortController().signal);
    return this.#session;
  }

  /** Resolves when it was all said. */
  async say(text: string, voice: Voice = 'rms'): Promise<void> {
    await this.play(await this.speechOf(text, voice));
  }

  async speechOf(text: string, voice: Voice = 'rms'): Promise<Int16Array> {
    return samplesOf(await this.#speaker.speak(text, voice));
  }

  async play(samples: Int16Array): Promise<void> {
    const audio = encode(this.#law, samples);
    for (let at = 0; at < audio.length; at += packet)
      this.#waiting.push(audio.subarray(at, at + packet));
    await this.until(() => this.#waiting.length === 0);
  }

  /** Waits until `seen` is true of what was reported; fails after 10 s. */
  async until(seen: () => boolean): Promise<void> {
    for (let waited = 0; !seen(); waited += 5) {
      if (waited > 10_000) throw new Error(`did not happen; reported: ${this.types().join(' ')}`);
      await delay(5);
    }
  }

  of<Type extends SessionEvent['type']>(type: Type): Extract<SessionEvent, { type: Type }>[] {
    return this.events
      .map(({ event }) => event)
      .filter((event): event is Extract<SessionEvent, { type: Type }> => event.type === type);
  }

  types(): string[] {
    return this.events.map(({ event }) => event.type);
  }

  /** What was understood, in order. */
  get understood(): string[] {
    return this.of('caller-transcript').map(({ text }) => text);
  }

  /** All replies that were spoken, in order. */
  get replies(): string[] {
    return this.of('agent-transcript')
      .filter(({ final }) => final)
      .map(({ text }) => text);
  }

  /** The audio of a reply, by its number from 0. */
  heard(number: number): Buffer {
    const reply = this.of('reply-started')[number]?.reply;
    const audio = this.of('audio').filter((event) => event.reply === reply);
    return pcmOf(decode(this.#law, Buffer.concat(audio.map((event) => event.audio))));
  }

  async hangUp(): Promise<void> {
    this.#hungUp.abort();
    await this.#line;
    this.#session?.close();
    await this.#speaker.close();
  }

  /** A packet each 20 ms, by the clock, silence when there is nothing to say. */
  async #run(): Promise<void> {
    const silence = Buffer.alloc(packet, silenceByte[this.#law]);
    const began = performance.now();
    for (let sent = 0; !this.#hungUp.signal.aborted; ) {
      for (; sent * 20 < performance.now() - began; sent++)
        this.#session?.appendAudio(this.#waiting.shift() ?? silence);
      await delay(5);
    }
  }
}
