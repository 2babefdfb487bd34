import { verdictOf } from './fault.ts';
import type { ReplyStatus } from './server-event.ts';
import {
  type Active,
  chain,
  type Effect,
  type Exchange,
  emit,
  faultOf,
  type Replies,
  type Request,
  remember,
  type Step,
  send,
} from './step.ts';

/** Replies, one at a time: the part of the machine that knows whose turn it is. */

// A model that has not begun after 10 s, or pauses for 20 s, does not go on; a cancel takes a round trip.
const createLimit = 10_000;
const pauseLimit = 20_000;
const cancelLimit = 3000;

/** Asks for a reply now or after those before it; one open question to the model is enough. */
export function requestReply(state: Exchange, request: Request): Step {
  const { active, queue } = state.replies;
  if (active === undefined) return sendRequest(state, request);
  if (request === undefined && queue.includes(undefined)) return [state, []];
  return [withReplies(state, { queue: [...queue, request] }), []];
}

function sendRequest(state: Exchange, request: Request): Step {
  const [sent, effects] = send(state, (id) => ({ type: 'respond', id, say: request }));
  const active: Active = {
    kind: 'requested',
    id: `parley-${sent.serial}`,
    request,
    isCancelled: false,
  };
  return [withReplies(sent, { active }), [...effects, watch(createLimit)]];
}

export function replyCreated(state: Exchange, response: string): Step {
  const { active, muted } = state.replies;
  if (muted.includes(response)) return [state, []];
  const isAsked = active?.kind === 'requested';
  const speaking: Active = {
    kind: 'speaking',
    response,
    isCancelled: false,
    ...(isAsked ? { asked: { request: active.request } } : {}),
  };
  const started: Step = [
    withReplies(state, { active: speaking }),
    [...unended(active), emit({ type: 'reply-started', reply: response }), watch(pauseLimit)],
  ];
  return isAsked && active.isCancelled ? chain(started, cancelActive) : started;
}

/** A reply that another replaces before its end was told. */
function unended(active: Active | undefined): Effect[] {
  return active?.kind === 'speaking' && active.response !== ''
    ? [emit({ type: 'reply-ended', reply: active.response, status: 'incomplete' })]
    : [];
}

/** Something came of a reply. Servers that do not announce replies are understood as well. */
export function replyTouched(state: Exchange, response: string): Step {
  const { active } = state.replies;
  return active?.kind === 'speaking' && active.response === response
    ? [state, [watch(pauseLimit)]]
    : replyCreated(state, response);
}

/** Stops the reply in progress and forgets those that were to follow it. */
export function cancelReply(state: Exchange): Step {
  return cancelActive(withReplies(state, { queue: [] }));
}

function cancelActive(state: Exchange): Step {
  const { active, muted } = state.replies;
  if (active === undefined || active.isCancelled) return [state, []];
  if (active.kind === 'requested')
    return [withReplies(state, { active: { ...active, isCancelled: true } }), []];
  const { response } = active;
  const cancelled = withReplies(state, {
    active: { kind: 'speaking', response, isCancelled: true },
    muted: remember(muted, response),
  });
  const [sent, effects] = send(cancelled, (id) => ({ type: 'cancel', id, response }));
  return [sent, [...effects, watch(cancelLimit)]];
}

export interface Done {
  readonly response: string;
  readonly status: ReplyStatus;
  /** Why it failed. */
  readonly code: string;
}

/** A reply is over. */
export function replyDone(state: Exchange, done: Done): Step {
  const { active, muted } = state.replies;
  if (active?.kind !== 'speaking') return [state, []];
  // A reply without a name was never reported as begun.
  if (active.response === '') return next(state);
  if (active.response !== done.response) return [state, []];
  const ended = withReplies(state, { muted: remember(muted, done.response) });
  return chain([ended, endOf(done)], next);
}

function endOf({ response, status, code }: Done): Effect[] {
  const ended = emit({ type: 'reply-ended', reply: response, status });
  if (status !== 'failed') return [ended];
  const verdict = verdictOf({ code });
  return verdict.type === 'lost'
    ? [ended, { type: 'lost', code, retryable: verdict.retryable }]
    : [faultOf(code), ended];
}

/** The server refused a request: no reply comes of it. */
export function requestDropped(state: Exchange): Step {
  return next(state);
}

/** The server was already speaking when we asked: the request waits for the end of that reply. */
export function failRequest(state: Exchange, note: Effect): Step {
  const { active, queue } = state.replies;
  if (active?.kind === 'requested') {
    const speaking: Active = { kind: 'speaking', response: '', isCancelled: active.isCancelled };
    const waiting = active.isCancelled ? queue : [active.request, ...queue];
    return [withReplies(state, { active: speaking, queue: waiting }), [note, watch(pauseLimit)]];
  }
  if (active?.asked === undefined) return [state, [note]];
  const { asked, ...own } = active;
  return [withReplies(state, { active: own, queue: [asked.request, ...queue] }), [note]];
}

/** The server keeps us waiting: the reply is given up, so that the next one can be asked for. */
export function replyStalled(state: Exchange): Step {
  const { active, muted } = state.replies;
  if (active === undefined) return [state, []];
  const isCancelled = active.isCancelled;
  const fault = isCancelled ? [] : [faultOf('response_timeout')];
  if (active.kind === 'requested' || active.response === '') return chain([state, fault], next);
  const { response } = active;
  const status = isCancelled ? 'cancelled' : 'failed';
  const ended = emit({ type: 'reply-ended', reply: response, status });
  const stopped: Step = [
    withReplies(state, { muted: remember(muted, response) }),
    [...fault, ended],
  ];
  const cancel = (inner: Exchange) => send(inner, (id) => ({ type: 'cancel', id, response }));
  return isCancelled ? chain(stopped, next) : chain(stopped, cancel, next);
}

function next(state: Exchange): Step {
  const [request, ...queue] = state.replies.queue;
  const idle = withReplies(state, { active: undefined, queue });
  return state.replies.queue.length === 0 ? [idle, [watch(undefined)]] : sendRequest(idle, request);
}

function withReplies(state: Exchange, change: Partial<Replies>): Exchange {
  return { ...state, replies: { ...state.replies, ...change } };
}

function watch(delay: number | undefined): Effect {
  return { type: 'watch', delay };
}
