import type {
  ConversationItem,
  RealtimeAudioFormats,
  RealtimeAudioInputTurnDetection,
  RealtimeClientEvent,
  RealtimeSessionCreateRequest,
} from 'openai/resources/realtime/realtime';
import type { OpenAiOptions } from '../../contract/agent.ts';
import type { AudioFormat } from '../../media/format.ts';
import type { Codec, Command, Item, Settings } from './command.ts';
import { sayExactly } from './command.ts';

/** The Realtime API as generally available since August 2025, held against the SDK's types. */
export const codecGa: Codec = encode;

function encode(command: Command, settings: Settings): RealtimeClientEvent {
  const event_id = command.id;
  switch (command.type) {
    case 'configure':
      return { type: 'session.update', event_id, session: sessionOf(settings) };
    case 'add-item':
      return { type: 'conversation.item.create', event_id, item: itemOf(command.item) };
    case 'respond':
      return {
        type: 'response.create',
        event_id,
        ...(command.say === undefined
          ? {}
          : { response: { instructions: sayExactly(command.say), tool_choice: 'none' } }),
      };
    case 'cancel':
      return {
        type: 'response.cancel',
        event_id,
        ...(command.response === '' ? {} : { response_id: command.response }),
      };
    case 'truncate':
      return {
        type: 'conversation.item.truncate',
        event_id,
        item_id: command.item,
        content_index: command.contentIndex,
        audio_end_ms: command.audioEnd,
      };
  }
}

function sessionOf({ provider, session }: Settings): RealtimeSessionCreateRequest {
  const format = formatOf(session.format);
  const { language, transcriptionPrompt, noiseReduction, maxOutputTokens } = provider;
  return {
    type: 'realtime',
    output_modalities: ['audio'],
    instructions: session.instructions,
    ...(maxOutputTokens === undefined ? {} : { max_output_tokens: maxOutputTokens }),
    audio: {
      input: {
        format,
        transcription: {
          model: provider.transcriptionModel,
          ...(language === undefined ? {} : { language }),
          ...(transcriptionPrompt === undefined ? {} : { prompt: transcriptionPrompt }),
        },
        ...(noiseReduction === undefined ? {} : { noise_reduction: { type: noiseReduction } }),
        turn_detection: turnDetectionOf(provider.turnDetection),
      },
      output: {
        format,
        voice: provider.voice,
        ...(provider.speed === undefined ? {} : { speed: provider.speed }),
      },
    },
    tools: session.tools.map(({ name, description, parameters }) => ({
      type: 'function',
      name,
      description,
      parameters,
    })),
    tool_choice: 'auto',
  };
}

function formatOf(format: AudioFormat): RealtimeAudioFormats {
  if (format === 'pcmu') return { type: 'audio/pcmu' };
  return format === 'pcma' ? { type: 'audio/pcma' } : { type: 'audio/pcm', rate: 24_000 };
}

/** The server answers turns and cancels replies on its own: its detection is the fastest there is. */
export function turnDetectionOf(
  detection: OpenAiOptions['turnDetection'],
): RealtimeAudioInputTurnDetection.ServerVad | RealtimeAudioInputTurnDetection.SemanticVad {
  const automatic = { create_response: true, interrupt_response: true };
  if (detection.type === 'semantic_vad')
    return {
      type: 'semantic_vad',
      ...automatic,
      ...(detection.eagerness === undefined ? {} : { eagerness: detection.eagerness }),
    };
  const { threshold, prefixPaddingMs, silenceDurationMs } = detection;
  return {
    type: 'server_vad',
    ...automatic,
    ...(threshold === undefined ? {} : { threshold }),
    ...(prefixPaddingMs === undefined ? {} : { prefix_padding_ms: prefixPaddingMs }),
    ...(silenceDurationMs === undefined ? {} : { silence_duration_ms: silenceDurationMs }),
  };
}

function itemOf(item: Item): ConversationItem {
  switch (item.kind) {
    case 'message':
      return item.role === 'caller'
        ? {
            type: 'message',
            role: 'user',
            content: [{ type: 'input_text', text: item.text }],
          }
        : {
            type: 'message',
            role: 'assistant',
            content: [{ type: 'output_text', text: item.text }],
          };
    case 'notice':
      return {
        type: 'message',
        role: 'system',
        content: [{ type: 'input_text', text: item.text }],
      };
    case 'tool-call':
      return {
        type: 'function_call',
        call_id: item.callId,
        name: item.name,
        arguments: item.arguments,
      };
    case 'tool-result':
      return { type: 'function_call_output', call_id: item.callId, output: item.output };
  }
}
