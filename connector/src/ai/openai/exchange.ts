import { type AudioFormat, bytesPerMillisecondOf } from '../../media/format.ts';
import { continuation, type Item, pressed } from './command.ts';
import { verdictOf } from './fault.ts';
import {
  cancelReply,
  failRequest,
  replyCreated,
  replyDone,
  replyStalled,
  replyTouched,
  requestDropped,
  requestReply,
} from './replies.ts';
import type { ServerError, ServerEvent } from './server-event.ts';
import { addAudio, cutAfter } from './spoken.ts';
import {
  chain,
  type Effect,
  type Exchange,
  emit,
  faultOf,
  remember,
  type Step,
  send,
} from './step.ts';

/** The conversation with the server as a pure machine: inputs in, commands and events out. */

export type Input =
  | { readonly type: 'server'; readonly event: ServerEvent }
  | { readonly type: 'speak'; readonly say: string | undefined }
  | {
      readonly type: 'interrupt';
      readonly heard: { readonly item: string; readonly milliseconds: number } | undefined;
    }
  | { readonly type: 'add-item'; readonly item: Item }
  | { readonly type: 'digit'; readonly digit: string }
  /** The time asked for by the last `watch` is over. */
  | { readonly type: 'watch-ended' };

/** An exchange before the server's first word; `history` is what it shall go on with. */
/** `format`: of the session's audio. */
export function newExchange(history: readonly Item[], format: AudioFormat = 'pcmu'): Exchange {
  return {
    phase: 'greeting',
    serial: 0,
    replies: { active: undefined, queue: [], muted: [] },
    spoken: [],
    bytesPerMs: bytesPerMillisecondOf(format),
    calls: [],
    history,
  };
}

export function step(state: Exchange, input: Input): Step {
  switch (input.type) {
    case 'server':
      return onServer(state, input.event);
    case 'speak':
      return requestReply(state, input.say);
    case 'interrupt':
      return interrupt(state, input.heard);
    case 'add-item':
      return addItems(state, [input.item]);
    case 'digit': {
      const text = pressed(input.digit);
      return addItems(state, [{ kind: 'message', role: 'caller', text }]);
    }
    case 'watch-ended':
      return replyStalled(state);
  }
}

function addItems(state: Exchange, items: readonly Item[]): Step {
  return chain(
    [state, []],
    ...items.map(
      (item) => (inner: Exchange) => send(inner, (id) => ({ type: 'add-item', id, item })),
    ),
  );
}

function interrupt(
  state: Exchange,
  heard: { readonly item: string; readonly milliseconds: number } | undefined,
): Step {
  return chain(cancelReply(state), (inner) => {
    if (heard === undefined) return [inner, []];
    const { spoken, cuts } = cutAfter(inner.spoken, heard);
    return chain(
      [{ ...inner, spoken }, []],
      ...cuts.map(
        (cut) => (one: Exchange) => send(one, (id) => ({ type: 'truncate', id, ...cut })),
      ),
    );
  });
}

function onServer(state: Exchange, event: ServerEvent): Step {
  if ('response' in event) return onReply(state, event);
  switch (event.type) {
    case 'session-created':
    case 'session-updated':
    case 'error':
      return onSession(state, event);
    case 'speech-started':
      return [mute(state), [emit({ type: 'speech-started' })]];
    case 'speech-stopped':
      return [state, [emit({ type: 'speech-stopped' })]];
    case 'caller-transcript': {
      const { item, text, final } = event;
      return [state, [emit({ type: 'caller-transcript', item, text, final })]];
    }
    case 'transcription-failed':
      return [state, [faultOf(event.code)]];
  }
}

type SessionEvents = Extract<
  ServerEvent,
  { type: 'session-created' | 'session-updated' | 'error' }
>;

function onSession(state: Exchange, event: SessionEvents): Step {
  if (event.type === 'error') return onError(state, event);
  if (event.type === 'session-created' && state.phase === 'greeting')
    return send({ ...state, phase: 'configuring' }, (id) => ({ type: 'configure', id }));
  if (event.type === 'session-updated' && state.phase === 'configuring') return ready(state);
  return [state, []];
}

/** The conversation so far goes to the server before any audio does. */
function ready(state: Exchange): Step {
  const { history } = state;
  const seed: Item[] =
    history.length === 0 ? [] : [...history, { kind: 'notice', text: continuation }];
  const [seeded, effects] = addItems({ ...state, phase: 'open', history: [] }, seed);
  return [seeded, [...effects, { type: 'ready' }]];
}

function onError(state: Exchange, error: ServerError): Step {
  const note: Effect = { type: 'note', error };
  if (state.phase !== 'open') return [state, [note, { type: 'refused', error }]];
  if (error.code === 'conversation_already_has_active_response') return failRequest(state, note);
  const verdict = verdictOf(error);
  if (verdict.type === 'harmless') return [state, [note]];
  if (verdict.type === 'lost')
    return [state, [note, { type: 'lost', code: error.code, retryable: verdict.retryable }]];
  return chain([state, [note, faultOf(error.code)]], (inner) => refusedRequest(inner, error));
}

/** A refused response.create never gets a response.done: the next request may go. */
function refusedRequest(state: Exchange, error: ServerError): Step {
  const { active } = state.replies;
  return active?.kind === 'requested' && active.id === error.about
    ? requestDropped(state)
    : [state, []];
}

type ReplyEvents = Extract<ServerEvent, { response: string }>;

function onReply(state: Exchange, event: ReplyEvents): Step {
  if (event.type === 'response-created') return replyCreated(state, event.response);
  if (event.type === 'response-done') return replyDone(state, event);
  if (state.replies.muted.includes(event.response)) return [state, []];
  const [touched, effects] = replyTouched(state, event.response);
  const [next, more] = onContent(touched, event);
  return [next, [...effects, ...more]];
}

function onContent(
  state: Exchange,
  event: Extract<ReplyEvents, { type: 'audio' | 'agent-transcript' | 'tool-call' }>,
): Step {
  switch (event.type) {
    case 'audio': {
      const { response: reply, item, contentIndex, audio } = event;
      const spoken = addAudio(state.spoken, {
        item,
        contentIndex,
        duration: audio.length / state.bytesPerMs,
      });
      return [{ ...state, spoken }, [emit({ type: 'audio', reply, item, audio })]];
    }
    case 'agent-transcript': {
      const { item, text, final } = event;
      return [state, [emit({ type: 'agent-transcript', item, text, final })]];
    }
    case 'tool-call': {
      const { callId, name, arguments: args } = event;
      if (state.calls.includes(callId)) return [state, []];
      const calls = [...state.calls, callId].slice(-32);
      return [{ ...state, calls }, [emit({ type: 'tool-call', callId, name, arguments: args })]];
    }
  }
}

/** The server cancels its reply when the caller speaks; what still comes of it is late. */
function mute(state: Exchange): Exchange {
  const { active, muted } = state.replies;
  return active?.kind === 'speaking'
    ? { ...state, replies: { ...state.replies, muted: remember(muted, active.response) } }
    : state;
}
