/**
 * Who has the floor: a pure step machine over what the session reports and what the line has played.
 * It knows which item owns which bytes of the line, hence what the caller really heard when he cuts in.
 * Audio itself does not pass here: only the first piece of an item does, as `item-started`.
 */

/** Eighths of a ms of the line: all that was queued so far, and what of it has been played. */
export interface Position {
  readonly queued: number;
  readonly played: number;
}

/** Eighths of a ms from `start` up to the next span's start; the last span ends at `Position.queued`. */
interface Span {
  /** Which of the call's sessions it came from; only items of the present one can be truncated there. */
  readonly session: number;
  readonly reply: string;
  readonly item: string;
  readonly start: number;
  /** The reply ended otherwise than completed. */
  readonly isBroken: boolean;
}

/**
 * `protected`: nobody can cut in (goodbye, apology). `muted`: also nothing new is played (transfer).
 */
export type Mode = 'open' | 'protected' | 'muted';

export interface TurnState {
  readonly mode: Mode;
  readonly caller: 'quiet' | 'speaking';
  readonly session: number;
  /** Replies asked for and not begun. */
  readonly asked: number;
  /** Replies asked for before the caller began to speak: dropped if they begin while he speaks. */
  readonly stale: number;
  /** The reply being produced at the provider. */
  readonly reply: string | undefined;
  readonly spans: readonly Span[];
  /** Replies that were cut off; audio of theirs that is still on its way is not played. */
  readonly dropped: readonly string[];
}

export type TurnEvent = ReplyEvent | FloorEvent;

type ReplyEvent =
  | { readonly type: 'reply-started'; readonly reply: string }
  /** Audio is about to be queued that belongs to another item than the last. */
  | {
      readonly type: 'item-started';
      readonly session: number;
      readonly reply: string;
      readonly item: string;
    }
  | { readonly type: 'reply-ended'; readonly reply: string; readonly isComplete: boolean };

type FloorEvent =
  | { readonly type: 'speech-started' | 'speech-stopped' | 'digit' }
  /** The session was told to speak. */
  | { readonly type: 'asked' }
  /** The line ran empty. */
  | { readonly type: 'played' }
  | { readonly type: 'mode'; readonly mode: Mode }
  /** We stop the agent ourselves. */
  | { readonly type: 'silenced' }
  | { readonly type: 'session-lost' }
  | { readonly type: 'ended' };

export interface Heard {
  readonly item: string;
  readonly milliseconds: number;
}

export type TurnEffect =
  /** Drop all that the line has queued. */
  | { readonly type: 'clear' }
  /** Stop the session's reply and tell it what was heard. */
  | { readonly type: 'interrupt'; readonly heard: Heard | undefined }
  /** Nothing more of the item will be played. `heard` and `received` in ms. */
  | {
      readonly type: 'settled';
      readonly session: number;
      readonly item: string;
      readonly heard: number;
      readonly received: number;
      readonly isInterrupted: boolean;
    };

type Step = [TurnState, readonly TurnEffect[]];

/** As G.711 has bytes. */
const unitsPerMillisecond = 8;

/** Replies remembered as cut off; providers have one or two in flight. */
const droppedKept = 16;

export const initialTurn: TurnState = {
  mode: 'open',
  caller: 'quiet',
  session: 0,
  asked: 0,
  stale: 0,
  reply: undefined,
  spans: [],
  dropped: [],
};

/** May audio of this reply be queued? */
export function accepts(state: TurnState, reply: string): boolean {
  return state.mode !== 'muted' && !state.dropped.includes(reply);
}

/** The agent has nothing more to say: nothing asked for, in production or queued. */
export function isSilent(state: TurnState, position: Position): boolean {
  return state.asked === 0 && state.reply === undefined && position.played >= position.queued;
}

export function step(state: TurnState, event: TurnEvent, position: Position): Step {
  if ('reply' in event) return replyStep(state, event, position);
  switch (event.type) {
    case 'speech-started':
      return speechStarted(state, position);
    case 'speech-stopped':
      return [{ ...state, caller: 'quiet', stale: 0 }, []];
    case 'digit':
      return digitPressed(state, position);
    case 'asked':
      return [{ ...state, asked: state.asked + 1 }, []];
    case 'played':
      return settle(state, position);
    case 'mode':
      return setMode(state, event.mode, position);
    case 'silenced':
      return cut(state, position);
    case 'session-lost':
      return sessionLost(state, position);
    case 'ended':
      return ended(state, position);
  }
}

function replyStep(state: TurnState, event: ReplyEvent, position: Position): Step {
  switch (event.type) {
    case 'reply-started':
      return replyStarted(state, event.reply, position);
    case 'item-started':
      return itemStarted(state, event, position);
    case 'reply-ended':
      return replyEnded(state, event, position);
  }
}

function speechStarted(state: TurnState, position: Position): Step {
  const speaking: TurnState = { ...state, caller: 'speaking' };
  return state.mode === 'open' ? cut(speaking, position) : settle(speaking, position);
}

/** Keys stop the agent in mid-sound only: one that is still thinking takes them into account. */
function digitPressed(state: TurnState, position: Position): Step {
  const isSounding = position.played < position.queued;
  return isSounding && state.mode === 'open' ? cut(state, position) : settle(state, position);
}

function replyStarted(state: TurnState, reply: string, position: Position): Step {
  const asked = Math.max(0, state.asked - 1);
  const isStale = state.mode === 'open' && state.caller === 'speaking' && state.stale > 0;
  const stale = Math.max(0, state.stale - 1);
  if (isStale || state.mode === 'muted') {
    return [
      { ...state, asked, stale, dropped: withDropped(state, [reply]) },
      [{ type: 'interrupt', heard: undefined }],
    ];
  }
  return settle({ ...state, asked, stale, reply }, position);
}

function itemStarted(
  state: TurnState,
  event: Extract<ReplyEvent, { type: 'item-started' }>,
  position: Position,
): Step {
  const [settled, effects] = settle(state, position);
  const { session, reply, item } = event;
  const last = settled.spans.at(-1);
  if (last?.session === session && last.item === item) return [settled, effects];
  const span: Span = { session, reply, item, start: position.queued, isBroken: false };
  return [{ ...settled, spans: [...settled.spans, span] }, effects];
}

function replyEnded(
  state: TurnState,
  event: Extract<ReplyEvent, { type: 'reply-ended' }>,
  position: Position,
): Step {
  const reply = state.reply === event.reply ? undefined : state.reply;
  const spans = event.isComplete ? state.spans : broken(state, event.reply);
  return settle({ ...state, reply, spans }, position);
}

function setMode(state: TurnState, mode: Mode, position: Position): Step {
  if (mode !== 'muted' || state.reply === undefined) return settle({ ...state, mode }, position);
  const dropped = withDropped(state, [state.reply]);
  const spans = broken(state, state.reply);
  const [next, effects] = settle(
    { ...state, mode, dropped, spans, reply: undefined, asked: 0 },
    position,
  );
  return [next, [{ type: 'interrupt', heard: undefined }, ...effects]];
}

/** What is queued of a lost session plays on; what it was still producing breaks off. */
function sessionLost(state: TurnState, position: Position): Step {
  const lost: TurnState = {
    ...state,
    caller: 'quiet',
    session: state.session + 1,
    asked: 0,
    stale: 0,
    reply: undefined,
    spans: state.reply === undefined ? state.spans : broken(state, state.reply),
    dropped: [],
  };
  return settle(lost, position);
}

function ended(state: TurnState, position: Position): Step {
  const effects = itemsOf(state.spans, position).map((item) =>
    settledOf(item, item.heard < item.received || isInProgress(state, item)),
  );
  return [{ ...initialTurn, mode: 'muted', session: state.session }, effects];
}

/** Stops the agent at once: clears the line, tells the session what was heard of each item. */
function cut(state: TurnState, position: Position): Step {
  const isSounding = position.played < position.queued;
  const isBusy = state.reply !== undefined || state.asked > 0;
  if (!isSounding && !isBusy) return settle(state, position);
  const items = itemsOf(state.spans, position);
  const inProgress = items.findLast((item) => isInProgress(state, item));
  const told = items.filter(
    (item) => item.session === state.session && (item.heard < item.received || item === inProgress),
  );
  const interrupts = told.map((item): TurnEffect => ({ type: 'interrupt', heard: heardOf(item) }));
  const effects: TurnEffect[] = [
    ...(isSounding ? [{ type: 'clear' } as const] : []),
    ...(interrupts.length === 0 && isBusy
      ? [{ type: 'interrupt', heard: undefined } as const]
      : interrupts),
    ...items.map((item) =>
      settledOf(item, item.heard < item.received || isInProgress(state, item)),
    ),
  ];
  const replies = items.filter(({ session }) => session === state.session).map((i) => i.reply);
  const cutOff = state.reply === undefined ? replies : [...replies, state.reply];
  const dropped = withDropped(state, cutOff);
  return [
    { ...state, asked: 0, stale: state.asked, reply: undefined, spans: [], dropped },
    effects,
  ];
}

/** Lets go of the items that were played to their end and get no more audio. */
function settle(state: TurnState, position: Position): Step {
  const open = state.spans.findIndex(
    (span, index) =>
      endOf(state.spans, index, position) > position.played || isInProgress(state, span),
  );
  const count = open === -1 ? state.spans.length : open;
  if (count === 0) return [state, []];
  const next = state.spans[count];
  const done = itemsOf(state.spans.slice(0, count), {
    queued: next?.start ?? position.queued,
    played: position.played,
  });
  return [
    { ...state, spans: state.spans.slice(count) },
    done.map((item) => settledOf(item, false)),
  ];
}

interface Item {
  readonly session: number;
  readonly reply: string;
  readonly item: string;
  readonly isBroken: boolean;
  /** Eighths of a ms. */
  readonly heard: number;
  readonly received: number;
}

/** The items of some spans in order of their first byte, with what was heard of each. */
function itemsOf(spans: readonly Span[], position: Position): Item[] {
  const items: Item[] = [];
  for (const [index, span] of spans.entries()) {
    const received = Math.max(0, endOf(spans, index, position) - span.start);
    const heard = Math.min(Math.max(0, position.played - span.start), received);
    const same = items.findIndex((i) => i.item === span.item && i.session === span.session);
    const earlier = items[same];
    if (earlier === undefined) {
      items.push({ ...span, heard, received });
    } else {
      items[same] = {
        ...earlier,
        isBroken: earlier.isBroken || span.isBroken,
        heard: earlier.heard + heard,
        received: earlier.received + received,
      };
    }
  }
  return items;
}

function endOf(spans: readonly Span[], index: number, position: Position): number {
  return spans[index + 1]?.start ?? position.queued;
}

function isInProgress(state: TurnState, of: { session: number; reply: string }): boolean {
  return of.session === state.session && of.reply === state.reply;
}

function broken(state: TurnState, reply: string): readonly Span[] {
  return state.spans.map((span) =>
    span.session === state.session && span.reply === reply ? { ...span, isBroken: true } : span,
  );
}

function withDropped(state: TurnState, replies: readonly string[]): readonly string[] {
  return [...new Set([...state.dropped, ...replies])].slice(-droppedKept);
}

function heardOf(item: Item): Heard {
  return { item: item.item, milliseconds: Math.floor(item.heard / unitsPerMillisecond) };
}

function settledOf(item: Item, isCut: boolean): TurnEffect {
  return {
    type: 'settled',
    session: item.session,
    item: item.item,
    heard: Math.floor(item.heard / unitsPerMillisecond),
    received: Math.floor(item.received / unitsPerMillisecond),
    isInterrupted: isCut || item.isBroken,
  };
}
