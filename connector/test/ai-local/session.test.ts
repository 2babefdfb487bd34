import { afterAll, beforeAll } from 'vitest';
import { createSpeaker, type Speaker } from '../../src/ai/local/speech.ts';
import { sessionCase } from '../../src/ai/session.case.ts';
import { encode } from '../../src/media/audio/g711.ts';
import type { Law } from '../../src/media/law.ts';
import { samplesOf } from './caller.ts';
import { openPizzeria } from './pizzeria.ts';

let speaker: Speaker;
beforeAll(() => {
  speaker = createSpeaker();
});
afterAll(() => speaker.close());

async function spoken(law: Law, text: string): Promise<Buffer> {
  return encode(law, samplesOf(await speaker.speak(text, 'rms')));
}

for (const law of ['pcmu', 'pcma'] as const)
  sessionCase(
    `the local provider in ${law}`,
    async () => {
      const provider = openPizzeria();
      return {
        provider,
        law,
        sentence: await spoken(law, 'I would like a large mushroom pizza please'),
        toolSentence: await spoken(law, 'Where is my order?'),
        tool: { name: 'order_status', description: '', parameters: { type: 'object' } },
        longText: 'This is a long story. It began in a small village. Nobody knows how it ended.',
        lose: undefined,
        close: () => provider.close(),
      };
    },
    {
      skip: [
        {
          reason: 'it runs in this process: there is no other side that could go away',
          tests: ['a lost session says so once, as the last thing'],
        },
      ],
    },
  );
