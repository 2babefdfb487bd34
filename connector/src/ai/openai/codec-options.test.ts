import { expect, test } from 'vitest';
import { agentSchema } from '../../contract/agent.ts';
import { codecBeta } from './codec-beta.ts';
import { codecGa } from './codec-ga.ts';
import type { Codec, Command } from './command.ts';

const configure: Command = { type: 'configure', id: 'e1' };

function sessionOf(codec: Codec): unknown {
  const openai = {
    maxOutputTokens: 300,
    noiseReduction: 'near_field',
    transcriptionPrompt: 'Margherita',
    temperature: 0.7,
  };
  const [provider] = agentSchema.parse({ providers: [{ openai }] }).providers;
  if (!provider || !('openai' in provider)) throw new Error('no provider');
  const session = { format: 'pcmu' as const, instructions: '', tools: [], history: [] };
  return codec(configure, { provider: provider.openai, session });
}

test('GA: limits, noise reduction and the hint have their places, a temperature has none', () => {
  const told = sessionOf(codecGa);
  expect(told).toMatchObject({
    session: {
      max_output_tokens: 300,
      audio: {
        input: {
          noise_reduction: { type: 'near_field' },
          transcription: { prompt: 'Margherita' },
        },
      },
    },
  });
  expect(JSON.stringify(told)).not.toContain('temperature');
});

test('beta: the same under its names, and the temperature', () => {
  expect(sessionOf(codecBeta)).toMatchObject({
    session: {
      max_response_output_tokens: 300,
      input_audio_noise_reduction: { type: 'near_field' },
      input_audio_transcription: { prompt: 'Margherita' },
      temperature: 0.7,
    },
  });
});
