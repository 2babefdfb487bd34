import type {
  ConversationItem,
  RealtimeClientEvent,
  RealtimeServerEvent,
} from 'openai/resources/realtime/realtime';

/** Events as the SDK types them (GA), and how a server before GA says the same. */

export type Dialect = 'ga' | 'beta';
export type ClientEvent = RealtimeClientEvent;
export type Item = ConversationItem;

type WithoutId<Event> = Event extends { event_id: string } ? Omit<Event, 'event_id'> : Event;
export type ServerEvent = WithoutId<RealtimeServerEvent>;

const betaNames: Readonly<Record<string, string>> = {
  'response.output_audio.delta': 'response.audio.delta',
  'response.output_audio.done': 'response.audio.done',
  'response.output_audio_transcript.delta': 'response.audio_transcript.delta',
  'response.output_audio_transcript.done': 'response.audio_transcript.done',
  'conversation.item.added': 'conversation.item.created',
};

/** The JSON of an event; undefined where the dialect has no such event. */
export function encode(event: ServerEvent, dialect: Dialect, id: string): string | undefined {
  if (dialect === 'ga') return JSON.stringify({ event_id: id, ...event });
  if (event.type === 'conversation.item.done') return undefined;
  const type = betaNames[event.type] ?? event.type;
  if (event.type !== 'response.function_call_arguments.done')
    return JSON.stringify({ event_id: id, ...event, type });
  const { name: _, ...unnamed } = event;
  return JSON.stringify({ event_id: id, ...unnamed, type });
}
