import type {
  ConversationItem,
  RealtimeClientEvent,
  SessionUpdateEvent,
} from 'openai/resources/beta/realtime/realtime';
import type { AudioFormat } from '../../media/format.ts';
import { codecGa, turnDetectionOf } from './codec-ga.ts';
import type { Codec, Settings } from './command.ts';

/**
 * The Realtime API before GA, as many compatible servers still speak it. Only the session and the
 * agent's own text have another shape than in GA.
 */
export const codecBeta: Codec = (command, settings) => {
  if (command.type === 'configure') return configure(command.id, settings);
  if (
    command.type === 'add-item' &&
    command.item.kind === 'message' &&
    command.item.role === 'agent'
  )
    return addItem(command.id, {
      type: 'message',
      role: 'assistant',
      content: [{ type: 'text', text: command.item.text }],
    });
  return codecGa(command, settings);
};

function configure(event_id: string, settings: Settings): RealtimeClientEvent {
  return { type: 'session.update', event_id, session: sessionOf(settings) };
}

function addItem(event_id: string, item: ConversationItem): RealtimeClientEvent {
  return { type: 'conversation.item.create', event_id, item };
}

function sessionOf({ provider, session }: Settings): SessionUpdateEvent.Session {
  const { language, transcriptionPrompt, speed } = provider;
  const { noiseReduction, maxOutputTokens, temperature } = provider;
  const format = formatOf(session.format);
  return {
    modalities: ['audio', 'text'],
    instructions: session.instructions,
    voice: provider.voice,
    input_audio_format: format,
    output_audio_format: format,
    input_audio_transcription: {
      model: provider.transcriptionModel,
      ...(language === undefined ? {} : { language }),
      ...(transcriptionPrompt === undefined ? {} : { prompt: transcriptionPrompt }),
    },
    ...(noiseReduction === undefined
      ? {}
      : { input_audio_noise_reduction: { type: noiseReduction } }),
    ...(maxOutputTokens === undefined ? {} : { max_response_output_tokens: maxOutputTokens }),
    ...(temperature === undefined ? {} : { temperature }),
    turn_detection: turnDetectionOf(provider.turnDetection),
    tools: session.tools.map(({ name, description, parameters }) => ({
      type: 'function',
      name,
      description,
      parameters,
    })),
    tool_choice: 'auto',
    ...(speed === undefined ? {} : { speed }),
  };
}

/** pcm16 is 24 kHz. */
function formatOf(format: AudioFormat): 'g711_ulaw' | 'g711_alaw' | 'pcm16' {
  if (format === 'pcmu') return 'g711_ulaw';
  return format === 'pcma' ? 'g711_alaw' : 'pcm16';
}
