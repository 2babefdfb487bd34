/**
 * The decisions of a list-watch: list page by page, watch from there, and what to do when either
 * fails. Pure: the shell in list-watch.ts runs the effects.
 *
 *   new -> listing -> watching -> (ended: watching | failed: waiting | gone: listing)
 *             ^----- waiting ------^
 */
import { isNews } from './object.ts';

export type ListWatchState =
  | { readonly phase: 'new' | 'stopped' }
  | (Progress & {
      readonly phase: 'listing';
      /** A list whose pages expired under way is fetched in one piece. */
      readonly unpaged: boolean;
      readonly onPage: number;
    })
  | (Progress & {
      readonly phase: 'watching';
      /** Everything up to here was seen. */
      readonly version: string;
      readonly since: number;
    })
  | (Progress & {
      readonly phase: 'waiting';
      /** Where to watch from; without it a list comes first. */
      readonly version: string | undefined;
    });

interface Progress {
  /** In a row, without a watch that lived long enough. */
  readonly failures: number;
}

/** What a failure says; from a KubeError. */
export interface Failure {
  readonly status: number;
  readonly reason: string;
  readonly retryAfter: number | undefined;
  /** It came as an event of an open watch. */
  readonly inStream: boolean;
}

export type ListWatchEvent =
  | { readonly type: 'start' }
  | { readonly type: 'page'; readonly version: string; readonly continueToken: string | undefined }
  | { readonly type: 'seen'; readonly version: string; readonly isBookmark: boolean }
  | { readonly type: 'ended' }
  | { readonly type: 'failed'; readonly failure: Failure }
  /** The wait is over. */
  | { readonly type: 'due' }
  /** Time to compare with a whole list. */
  | { readonly type: 'relist' }
  | { readonly type: 'stop' };

export type ListWatchEffect =
  | { readonly type: 'list'; readonly limit: number; readonly continueToken: string | undefined }
  /** The pages so far are a whole list. */
  | { readonly type: 'replace' }
  | { readonly type: 'watch'; readonly version: string; readonly timeoutSeconds: number }
  /** The object of the event is news. */
  | { readonly type: 'deliver' }
  | { readonly type: 'wait'; readonly delay: number }
  /** Ends whatever runs: request, watch or wait. */
  | { readonly type: 'abort' };

/** Time and chance of a step. */
export interface Moment {
  readonly now: number;
  /** 0 ≤ random < 1. */
  readonly random: number;
}

type Step = readonly [ListWatchState, readonly ListWatchEffect[]];

const pageSize = 500;
/** The values of client-go's reflector. */
const firstDelay = 800;
const longestDelay = 30_000;
const shortestWatchSeconds = 300;
/** A watch that ended sooner is a failure, lest a broken proxy makes us spin. */
const shortWatch = 1000;
/** A watch that lived so long shows that all is well. */
const goodWatch = 10_000;
/** After so many failures of the watch, a list must show that the version still means something. */
const failuresBeforeList = 5;

export const newListWatch: ListWatchState = { phase: 'new' };

export function step(state: ListWatchState, event: ListWatchEvent, moment: Moment): Step {
  if (event.type === 'stop') return [{ phase: 'stopped' }, [{ type: 'abort' }]];
  switch (state.phase) {
    case 'stopped':
      return [state, []];
    case 'new':
      return event.type === 'start' ? list({ failures: 0 }) : [state, []];
    case 'listing':
      return stepListing(state, event, moment);
    case 'watching':
      return stepWatching(state, event, moment);
    case 'waiting':
      if (event.type !== 'due') return [state, []];
      return state.version === undefined ? list(state) : watch(state, state.version, moment);
  }
}

function stepListing(
  state: ListWatchState & { phase: 'listing' },
  event: ListWatchEvent,
  moment: Moment,
): Step {
  if (event.type === 'page') {
    const { continueToken, version } = event;
    if (continueToken !== undefined)
      return [
        { ...state, onPage: state.onPage + 1 },
        [{ type: 'list', limit: pageSize, continueToken }],
      ];
    const [next, effects] = watch(state, version, moment);
    return [next, [{ type: 'replace' }, ...effects]];
  }
  if (event.type !== 'failed') return [state, []];
  // The server compacts its history after five minutes, and with it the snapshot the pages are of.
  if (isGone(event.failure) && state.onPage > 0)
    return list({ failures: state.failures, unpaged: true });
  return wait(state, undefined, { failure: event.failure, moment });
}

function stepWatching(
  state: ListWatchState & { phase: 'watching' },
  event: ListWatchEvent,
  moment: Moment,
): Step {
  switch (event.type) {
    case 'seen':
      return seen(state, event);
    case 'ended': {
      const { failures } = settled(state, moment);
      if (moment.now - state.since >= shortWatch) return watch({ failures }, state.version, moment);
      return wait({ failures }, state.version, { moment });
    }
    case 'failed':
      return watchFailed(state, event.failure, moment);
    case 'relist': {
      const [next, effects] = list({ failures: 0 });
      return [next, [{ type: 'abort' }, ...effects]];
    }
    case 'start':
    case 'page':
    case 'due':
    case 'stop':
      return [state, []];
  }
}

/** What is late or told twice changes nothing. */
function seen(
  state: ListWatchState & { phase: 'watching' },
  { version, isBookmark }: ListWatchEvent & { type: 'seen' },
): Step {
  if (!isNews(version, state.version)) return [state, []];
  return [{ ...state, version }, isBookmark ? [] : [{ type: 'deliver' }]];
}

function watchFailed(
  state: ListWatchState & { phase: 'watching' },
  failure: Failure,
  moment: Moment,
): Step {
  const progress = settled(state, moment);
  if (isGone(failure) && progress.failures === 0) return list({ failures: 1 });
  const isVersionGood =
    !failure.inStream && mayResume(failure) && progress.failures < failuresBeforeList;
  return wait(progress, isVersionGood ? state.version : undefined, { failure, moment });
}

function isGone({ status, reason }: Failure): boolean {
  return status === 410 || reason === 'Expired' || reason === 'Gone';
}

/**
 * Whether the watch may go on from its version. Not so when the kind or the permission went away, and not after
 * silence: a server that was restored from a backup is behind our version and tells nothing, not even
 * a bookmark, until it has caught up.
 */
function mayResume({ status, reason }: Failure): boolean {
  if (reason === 'TimedOut' || status === 504) return false;
  return status === 0 || status === 401 || status === 429 || status >= 500;
}

function settled(state: Progress & { readonly since: number }, { now }: Moment): Progress {
  return { failures: now - state.since >= goodWatch ? 0 : state.failures };
}

function list({ failures, unpaged = false }: Progress & { unpaged?: boolean }): Step {
  return [
    { phase: 'listing', failures, unpaged, onPage: 0 },
    [{ type: 'list', limit: unpaged ? 0 : pageSize, continueToken: undefined }],
  ];
}

function watch({ failures }: Progress, version: string, { now, random }: Moment): Step {
  const timeoutSeconds = Math.floor(shortestWatchSeconds * (1 + random));
  return [
    { phase: 'watching', failures, version, since: now },
    [{ type: 'watch', version, timeoutSeconds }],
  ];
}

function wait(
  { failures }: Progress,
  version: string | undefined,
  { failure, moment }: { failure?: Failure; moment: Moment },
): Step {
  const backoff = Math.min(longestDelay, firstDelay * 2 ** failures);
  const delay = Math.max(backoff * (0.75 + moment.random / 2), failure?.retryAfter ?? 0);
  return [
    { phase: 'waiting', failures: Math.min(failures + 1, 16), version },
    [{ type: 'wait', delay }],
  ];
}
