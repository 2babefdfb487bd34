import { expect, test } from 'vitest';
import { readServerEvent } from './server-event.ts';

const audio = { response_id: 'r', item_id: 'i', content_index: 0, output_index: 0 };

test.each<{ name: string; given: object; want: unknown }>([
  {
    name: 'session.created',
    given: { type: 'session.created' },
    want: { type: 'session-created' },
  },
  {
    name: 'session.updated',
    given: { type: 'session.updated' },
    want: { type: 'session-updated' },
  },
  {
    name: 'speech_started',
    given: { type: 'input_audio_buffer.speech_started', audio_start_ms: 3 },
    want: { type: 'speech-started' },
  },
  {
    name: 'speech_stopped',
    given: { type: 'input_audio_buffer.speech_stopped', audio_end_ms: 3 },
    want: { type: 'speech-stopped' },
  },
  {
    name: 'transcription.delta',
    given: {
      type: 'conversation.item.input_audio_transcription.delta',
      item_id: 'i',
      delta: ' hel',
    },
    want: { type: 'caller-transcript', item: 'i', text: ' hel', final: false },
  },
  {
    name: 'transcription.completed',
    given: {
      type: 'conversation.item.input_audio_transcription.completed',
      item_id: 'i',
      transcript: 'hello\n',
    },
    want: { type: 'caller-transcript', item: 'i', text: 'hello', final: true },
  },
  {
    name: 'transcription.failed',
    given: { type: 'conversation.item.input_audio_transcription.failed', error: { code: 'x' } },
    want: { type: 'transcription-failed', code: 'x' },
  },
  {
    name: 'response.created',
    given: { type: 'response.created', response: { id: 'r' } },
    want: { type: 'response-created', response: 'r' },
  },
  ...['response.output_audio.delta', 'response.audio.delta'].map((type) => ({
    name: type,
    given: { type, ...audio, content_index: 1, delta: 'f39/' },
    want: {
      type: 'audio',
      response: 'r',
      item: 'i',
      contentIndex: 1,
      audio: Buffer.from([0x7f, 0x7f, 0x7f]),
    },
  })),
  ...['response.output_audio_transcript', 'response.audio_transcript'].flatMap((type) => [
    {
      name: `${type}.delta`,
      given: { type: `${type}.delta`, ...audio, delta: 'Hi ' },
      want: { type: 'agent-transcript', response: 'r', item: 'i', text: 'Hi ', final: false },
    },
    {
      name: `${type}.done`,
      given: { type: `${type}.done`, ...audio, transcript: 'Hi you' },
      want: { type: 'agent-transcript', response: 'r', item: 'i', text: 'Hi you', final: true },
    },
  ]),
  {
    name: 'GA arguments.done',
    given: {
      type: 'response.function_call_arguments.done',
      response_id: 'r',
      call_id: 'c',
      name: 'f',
      arguments: '{"a":1}',
    },
    want: { type: 'tool-call', response: 'r', callId: 'c', name: 'f', arguments: '{"a":1}' },
  },
  {
    name: 'beta arguments.done, which has no name',
    given: {
      type: 'response.function_call_arguments.done',
      response_id: 'r',
      call_id: 'c',
      arguments: '{}',
    },
    want: undefined,
  },
  {
    name: 'the finished item of a call',
    given: {
      type: 'response.output_item.done',
      response_id: 'r',
      item: {
        type: 'function_call',
        status: 'completed',
        call_id: 'c',
        name: 'f',
        arguments: '{}',
      },
    },
    want: { type: 'tool-call', response: 'r', callId: 'c', name: 'f', arguments: '{}' },
  },
  {
    name: 'the item of a call that was cut off',
    given: {
      type: 'response.output_item.done',
      item: { type: 'function_call', status: 'incomplete', call_id: 'c', name: 'f' },
    },
    want: undefined,
  },
  {
    name: 'the finished item of speech',
    given: { type: 'response.output_item.done', item: { type: 'message' } },
    want: undefined,
  },
  {
    name: 'response.done of a cancelled reply',
    given: {
      type: 'response.done',
      response: {
        id: 'r',
        status: 'cancelled',
        status_details: { type: 'cancelled', reason: 'turn_detected' },
      },
    },
    want: { type: 'response-done', response: 'r', status: 'cancelled', code: '' },
  },
  {
    name: 'response.done of a failed reply',
    given: {
      type: 'response.done',
      response: {
        id: 'r',
        status: 'failed',
        status_details: { type: 'failed', error: { type: 'server_error', code: null } },
      },
    },
    want: { type: 'response-done', response: 'r', status: 'failed', code: 'server_error' },
  },
  {
    name: 'error',
    given: {
      type: 'error',
      error: { type: 'invalid_request_error', code: 'x', message: 'm', event_id: 'parley-1' },
    },
    want: { type: 'error', code: 'x', about: 'parley-1', message: 'm' },
  },
  {
    name: 'an error without a code',
    given: { type: 'error', error: { type: 'server_error', code: null, message: 'm' } },
    want: { type: 'error', code: 'server_error', about: '', message: 'm' },
  },
  {
    name: 'an error with nothing in it',
    given: { type: 'error', error: 5 },
    want: { type: 'error', code: 'unknown', about: '', message: '' },
  },
  { name: 'rate limits', given: { type: 'rate_limits.updated' }, want: undefined },
  { name: 'a name of the language', given: { type: 'constructor' }, want: undefined },
  { name: 'no type', given: {}, want: undefined },
])('$name is read', ({ given, want }) => {
  expect(readServerEvent(given)).toEqual(want);
});
