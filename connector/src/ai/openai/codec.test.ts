import { expect, test } from 'vitest';
import { agentSchema } from '../../contract/agent.ts';
import type { SessionOptions } from '../session.ts';
import { codecBeta } from './codec-beta.ts';
import { codecGa } from './codec-ga.ts';
import type { Command, Settings } from './command.ts';

const tool = { name: 'f', description: 'does f', parameters: { type: 'object' } };

function settings(openai: object = {}, session: Partial<SessionOptions> = {}): Settings {
  const agent = agentSchema.parse({ providers: [{ openai }] });
  const [provider] = agent.providers;
  if (provider === undefined || !('openai' in provider)) throw new Error('no provider');
  return {
    provider: provider.openai,
    session: { format: 'pcmu', instructions: 'Be kind.', tools: [tool], history: [], ...session },
  };
}

const configure: Command = { type: 'configure', id: 'e1' };

test('GA: the session is configured with every setting in its place', () => {
  const all = settings({
    voice: 'cedar',
    language: 'de',
    speed: 1.1,
    transcriptionModel: 'whisper-1',
    turnDetection: {
      type: 'server_vad',
      threshold: 0.6,
      prefixPaddingMs: 100,
      silenceDurationMs: 400,
    },
  });
  expect(codecGa(configure, all)).toEqual({
    type: 'session.update',
    event_id: 'e1',
    session: {
      type: 'realtime',
      output_modalities: ['audio'],
      instructions: 'Be kind.',
      audio: {
        input: {
          format: { type: 'audio/pcmu' },
          transcription: { model: 'whisper-1', language: 'de' },
          turn_detection: {
            type: 'server_vad',
            create_response: true,
            interrupt_response: true,
            threshold: 0.6,
            prefix_padding_ms: 100,
            silence_duration_ms: 400,
          },
        },
        output: { format: { type: 'audio/pcmu' }, voice: 'cedar', speed: 1.1 },
      },
      tools: [{ type: 'function', ...tool }],
      tool_choice: 'auto',
    },
  });
});

test('beta: the same in its own shape', () => {
  const all = settings(
    { speed: 0.9, turnDetection: { type: 'semantic_vad', eagerness: 'low' } },
    { format: 'pcma' },
  );
  expect(codecBeta(configure, all)).toEqual({
    type: 'session.update',
    event_id: 'e1',
    session: {
      modalities: ['audio', 'text'],
      instructions: 'Be kind.',
      voice: 'marin',
      input_audio_format: 'g711_alaw',
      output_audio_format: 'g711_alaw',
      input_audio_transcription: { model: 'gpt-4o-mini-transcribe' },
      turn_detection: {
        type: 'semantic_vad',
        create_response: true,
        interrupt_response: true,
        eagerness: 'low',
      },
      tools: [{ type: 'function', ...tool }],
      tool_choice: 'auto',
      speed: 0.9,
    },
  });
});

test('GA: A-format and semantic detection', () => {
  const event = codecGa(
    configure,
    settings({ turnDetection: { type: 'semantic_vad' } }, { format: 'pcma' }),
  );
  expect(event).toMatchObject({
    session: {
      audio: {
        input: { format: { type: 'audio/pcma' }, turn_detection: { type: 'semantic_vad' } },
        output: { format: { type: 'audio/pcma' } },
      },
    },
  });
});

const message = (role: 'caller' | 'agent'): Command => ({
  type: 'add-item',
  id: 'e',
  item: { kind: 'message', role, text: 'Hi' },
});

const item = (given: object) => ({
  type: 'conversation.item.create',
  event_id: 'e',
  item: given,
});

test.each<{ name: string; command: Command; ga: object; beta?: object }>([
  {
    name: 'what the caller said',
    command: message('caller'),
    ga: item({ type: 'message', role: 'user', content: [{ type: 'input_text', text: 'Hi' }] }),
  },
  {
    name: 'what the agent said',
    command: message('agent'),
    ga: item({
      type: 'message',
      role: 'assistant',
      content: [{ type: 'output_text', text: 'Hi' }],
    }),
    beta: item({ type: 'message', role: 'assistant', content: [{ type: 'text', text: 'Hi' }] }),
  },
  {
    name: 'a notice',
    command: { type: 'add-item', id: 'e', item: { kind: 'notice', text: 'Go on.' } },
    ga: item({
      type: 'message',
      role: 'system',
      content: [{ type: 'input_text', text: 'Go on.' }],
    }),
  },
  {
    name: 'a tool call',
    command: {
      type: 'add-item',
      id: 'e',
      item: { kind: 'tool-call', callId: 'c', name: 'f', arguments: '{}' },
    },
    ga: item({ type: 'function_call', call_id: 'c', name: 'f', arguments: '{}' }),
  },
  {
    name: 'a tool result',
    command: {
      type: 'add-item',
      id: 'e',
      item: { kind: 'tool-result', callId: 'c', output: 'x' },
    },
    ga: item({ type: 'function_call_output', call_id: 'c', output: 'x' }),
  },
  {
    name: 'a request to answer',
    command: { type: 'respond', id: 'e', say: undefined },
    ga: { type: 'response.create', event_id: 'e' },
  },
  {
    name: 'a text to say',
    command: { type: 'respond', id: 'e', say: 'Good morning.' },
    ga: {
      type: 'response.create',
      event_id: 'e',
      response: {
        instructions: expect.stringMatching(/word for word[^]*\n\nGood morning\.$/) as string,
        tool_choice: 'none',
      },
    },
  },
  {
    name: 'a cancel',
    command: { type: 'cancel', id: 'e', response: 'r' },
    ga: { type: 'response.cancel', event_id: 'e', response_id: 'r' },
  },
  {
    name: 'a cancel of whatever is active',
    command: { type: 'cancel', id: 'e', response: '' },
    ga: { type: 'response.cancel', event_id: 'e' },
  },
  {
    name: 'a truncate',
    command: { type: 'truncate', id: 'e', item: 'i', contentIndex: 0, audioEnd: 340 },
    ga: {
      type: 'conversation.item.truncate',
      event_id: 'e',
      item_id: 'i',
      content_index: 0,
      audio_end_ms: 340,
    },
  },
])('$name has its shape in both dialects', ({ command, ga, beta }) => {
  expect(codecGa(command, settings())).toEqual(ga);
  expect(codecBeta(command, settings())).toEqual(beta ?? ga);
});

test('a wideband session is 24 kHz in either dialect', () => {
  const wide = settings({}, { format: 'pcm24k' });
  expect(codecGa(configure, wide)).toMatchObject({
    session: {
      audio: {
        input: { format: { type: 'audio/pcm', rate: 24_000 } },
        output: { format: { type: 'audio/pcm', rate: 24_000 } },
      },
    },
  });
  expect(codecBeta(configure, wide)).toMatchObject({
    session: { input_audio_format: 'pcm16', output_audio_format: 'pcm16' },
  });
});
