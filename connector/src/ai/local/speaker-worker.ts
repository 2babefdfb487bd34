import { loadFlite, type Voice } from './flite.ts';
import { answerJobs } from './job-port.ts';

export interface SpeakerJob {
  readonly text: string;
  readonly voice: Voice;
}

await answerJobs<SpeakerJob>(() => {
  const speak = loadFlite();
  return Promise.resolve(({ text, voice }) => speak(text, voice));
});
