import { fileURLToPath } from 'node:url';
import createModule, { type Decoder, type Segment } from 'soundswallower';
import { isSounds, soundWords } from './grammar.ts';

/** `confidence`: mean posterior of the words; 0, and no text, when it was none of the phrases. */
export interface Recognition {
  readonly text: string;
  readonly confidence: number;
}

/** Words and their ARPAbet; alternatives are separate entries `word(2)`. */
export type Pronunciations = Readonly<Record<string, string>>;

/** Where the acoustic model lies; the decoder resolves a relative path against the working folder. */
export const modelFolder = fileURLToPath(
  new URL('./model/en-us', import.meta.resolve('soundswallower')),
);

/** One decoder: 27 MB, 400 to 700 ms to make. It holds one grammar at a time. */
export class GrammarDecoder {
  readonly #decoder: Decoder;
  readonly #words = new Set<string>();
  #grammar = '';

  static async create(): Promise<GrammarDecoder> {
    const { Decoder } = await createModule();
    // Its default of 44100 Hz would not complain, and understand next to nothing.
    const decoder = new Decoder({ hmm: modelFolder, samprate: 8000, loglevel: 'FATAL' });
    await decoder.initialize();
    decoder.add_words(...Object.entries(soundWords));
    return new GrammarDecoder(decoder);
  }

  private constructor(decoder: Decoder) {
    this.#decoder = decoder;
  }

  /** JSGF; throws when a word has no pronunciation. 4 to 20 ms when it is not the one before. */
  setGrammar(grammar: string, pronunciations: Pronunciations): void {
    const fresh = Object.entries(pronunciations).filter(([word]) => !this.#words.has(word));
    if (fresh.length > 0) this.#decoder.add_words(...fresh);
    for (const [word] of fresh) this.#words.add(word);
    if (grammar === this.#grammar) return;
    this.#decoder.set_grammar(grammar);
    this.#grammar = grammar;
  }

  /** A whole utterance, 8000 samples a second: better than in pieces, for its mean is taken out at once. */
  recognise(samples: Int16Array): Recognition {
    this.#decoder.start();
    this.#decoder.process_audio(
      Float32Array.from(samples, (sample) => sample / 32_768),
      false,
      true,
    );
    this.#decoder.stop();
    const words = wordsOf(this.#decoder.get_alignment());
    const text = words.map((word) => word.t).join(' ');
    if (words.length === 0 || isSounds(text)) return { text: '', confidence: 0 };
    const sum = words.reduce((total, word) => total + word.p, 0);
    return { text, confidence: sum / words.length };
  }
}

/** Leaves out silence, fillers and noises, and the number of a pronunciation. */
function wordsOf(alignment: Segment): { t: string; p: number }[] {
  return (alignment.w ?? [])
    .filter(({ t }) => !/^[<[(]/.test(t))
    .map(({ t, p }) => ({ t: t.replace(/\(\d+\)$/, ''), p }));
}
