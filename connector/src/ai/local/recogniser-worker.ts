import { answerJobs } from './job-port.ts';
import { GrammarDecoder, type Pronunciations } from './soundswallower.ts';

export interface RecogniserJob {
  readonly samples: Int16Array;
  /** JSGF. */
  readonly grammar: string;
  readonly pronunciations: Pronunciations;
}

await answerJobs<RecogniserJob>(async () => {
  const decoder = await GrammarDecoder.create();
  return ({ samples, grammar, pronunciations }) => {
    decoder.setGrammar(grammar, pronunciations);
    return decoder.recognise(samples);
  };
});
