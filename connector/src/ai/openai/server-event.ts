/**
 * What the server says, under one set of names: GA's, the beta's and those of servers between the
 * two. Everything in an event is distrusted: what is missing reads as empty.
 */
export type ServerEvent =
  | { readonly type: 'session-created' }
  | { readonly type: 'session-updated' }
  | { readonly type: 'speech-started' }
  | { readonly type: 'speech-stopped' }
  | {
      readonly type: 'caller-transcript';
      readonly item: string;
      readonly text: string;
      readonly final: boolean;
    }
  | { readonly type: 'transcription-failed'; readonly code: string }
  | { readonly type: 'response-created'; readonly response: string }
  | {
      readonly type: 'audio';
      readonly response: string;
      readonly item: string;
      readonly contentIndex: number;
      readonly audio: Buffer;
    }
  | {
      readonly type: 'agent-transcript';
      readonly response: string;
      readonly item: string;
      readonly text: string;
      readonly final: boolean;
    }
  | {
      readonly type: 'tool-call';
      readonly response: string;
      readonly callId: string;
      readonly name: string;
      readonly arguments: string;
    }
  | {
      readonly type: 'response-done';
      readonly response: string;
      readonly status: ReplyStatus;
      /** Why it failed; empty for any other status. */
      readonly code: string;
    }
  | ServerError;

export type ReplyStatus = 'completed' | 'cancelled' | 'failed' | 'incomplete';

export interface ServerError {
  readonly type: 'error';
  /** Code, or the type of the error where the server gives no code. */
  readonly code: string;
  /** `event_id` of the client event it is about; empty when unknown. */
  readonly about: string;
  /** As the server put it; may quote what was sent. */
  readonly message: string;
}

type Fields = Readonly<Record<string, unknown>>;
type Reader = (event: Fields) => ServerEvent | undefined;

const readers: Readonly<Record<string, Reader>> = {
  'session.created': () => ({ type: 'session-created' }),
  'session.updated': () => ({ type: 'session-updated' }),
  'input_audio_buffer.speech_started': () => ({ type: 'speech-started' }),
  'input_audio_buffer.speech_stopped': () => ({ type: 'speech-stopped' }),
  'conversation.item.input_audio_transcription.delta': (event) => ({
    type: 'caller-transcript',
    item: text(event, 'item_id'),
    text: text(event, 'delta'),
    final: false,
  }),
  'conversation.item.input_audio_transcription.completed': (event) => ({
    type: 'caller-transcript',
    item: text(event, 'item_id'),
    text: text(event, 'transcript').trim(),
    final: true,
  }),
  'conversation.item.input_audio_transcription.failed': (event) => ({
    type: 'transcription-failed',
    code: text(inner(event, 'error'), 'code') || 'transcription_failed',
  }),
  'response.created': (event) => ({
    type: 'response-created',
    response: text(inner(event, 'response'), 'id'),
  }),
  'response.output_audio.delta': audio,
  'response.audio.delta': audio,
  'response.output_audio_transcript.delta': (event) => transcript(event, 'delta'),
  'response.audio_transcript.delta': (event) => transcript(event, 'delta'),
  'response.output_audio_transcript.done': (event) => transcript(event, 'transcript'),
  'response.audio_transcript.done': (event) => transcript(event, 'transcript'),
  'response.function_call_arguments.done': (event) => toolCall(event, event),
  'response.output_item.done': (event) => {
    const item = inner(event, 'item');
    return item['type'] === 'function_call' && item['status'] !== 'incomplete'
      ? toolCall(event, item)
      : undefined;
  },
  'response.done': done,
  error: (event) => {
    const error = inner(event, 'error');
    return {
      type: 'error',
      code: text(error, 'code') || text(error, 'type') || 'unknown',
      about: text(error, 'event_id'),
      message: text(error, 'message'),
    };
  },
};

/** The event as we know it; undefined for one that does not matter here. */
export function readServerEvent(event: object): ServerEvent | undefined {
  const fields = fieldsOf(event);
  const type = text(fields, 'type');
  return Object.hasOwn(readers, type) ? readers[type]?.(fields) : undefined;
}

function audio(event: Fields): ServerEvent {
  const index = event['content_index'];
  return {
    type: 'audio',
    response: text(event, 'response_id'),
    item: text(event, 'item_id'),
    contentIndex: typeof index === 'number' ? index : 0,
    audio: Buffer.from(text(event, 'delta'), 'base64'),
  };
}

function transcript(event: Fields, key: 'delta' | 'transcript'): ServerEvent {
  return {
    type: 'agent-transcript',
    response: text(event, 'response_id'),
    item: text(event, 'item_id'),
    text: text(event, key),
    final: key === 'transcript',
  };
}

/** The beta's `arguments.done` has no name; the item's own event, which follows, has it. */
function toolCall(event: Fields, call: Fields): ServerEvent | undefined {
  const name = text(call, 'name');
  const callId = text(call, 'call_id');
  return name === '' || callId === ''
    ? undefined
    : {
        type: 'tool-call',
        response: text(event, 'response_id'),
        callId,
        name,
        arguments: text(call, 'arguments'),
      };
}

const statuses: ReadonlySet<string> = new Set(['completed', 'cancelled', 'failed', 'incomplete']);

function isReplyStatus(status: string): status is ReplyStatus {
  return statuses.has(status);
}

function done(event: Fields): ServerEvent {
  const response = inner(event, 'response');
  const given = text(response, 'status');
  const status = isReplyStatus(given) ? given : 'completed';
  const error = inner(inner(response, 'status_details'), 'error');
  const code = text(error, 'code') || text(error, 'type') || 'response_failed';
  return {
    type: 'response-done',
    response: text(response, 'id'),
    status,
    code: status === 'failed' ? code : '',
  };
}

function text(fields: Fields, key: string): string {
  const value = fields[key];
  return typeof value === 'string' ? value : '';
}

function inner(fields: Fields, key: string): Fields {
  return fieldsOf(fields[key]);
}

function fieldsOf(value: unknown): Fields {
  return isFields(value) ? value : {};
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null;
}
