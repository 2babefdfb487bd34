import { headers } from '../sip/message/headers.ts';
import type { SipResponse } from '../sip/message/message.ts';
import { parseNameAddr } from '../sip/message/name-addr.ts';
import { formatUri } from '../sip/message/uri.ts';
import { bestResponse } from './best-response.ts';

/**
 * The search of a proxy through its targets (RFC 3261 §16.5–16.10), one after the other or all at once, as pure
 * steps. A branch is the index of a target that was tried.
 */

/** §16.6 step 11: more than three minutes. */
const timerC = 185_000;

export interface SearchOptions {
  readonly isInvite: boolean;
  readonly isSimultaneous: boolean;
  readonly followRedirects: boolean;
  readonly provisionalTimeout?: number;
}

type BranchPhase =
  /** Nothing came yet. */
  | 'calling'
  | 'proceeding'
  /** Cancelled or given up on; no longer waited for, but its 2xx would still count. */
  | 'abandoned'
  | 'completed';

export interface Search {
  readonly options: SearchOptions;
  /** Targets to try. */
  readonly waiting: readonly string[];
  /** Every target there ever was, so that redirects do not go in circles. */
  readonly known: readonly string[];
  readonly branches: readonly BranchPhase[];
  readonly finals: readonly SipResponse[];
  readonly phase: 'searching' | 'cancelled' | 'over';
}

export type SearchEvent =
  | { readonly kind: 'start' }
  | { readonly kind: 'response'; readonly branch: number; readonly response: SipResponse }
  | { readonly kind: 'timeout'; readonly branch: number; readonly timer: SearchTimer }
  /** A CANCEL came from upstream. */
  | { readonly kind: 'cancelled' };

type SearchTimer = 'provisional' | 'c';

export type SearchEffect =
  | { readonly kind: 'forward'; readonly branch: number; readonly target: string }
  | { readonly kind: 'cancel'; readonly branch: number }
  /** (Re)starts a timer. */
  | {
      readonly kind: 'wait';
      readonly branch: number;
      readonly timer: SearchTimer;
      readonly delay: number;
    }
  | { readonly kind: 'stop'; readonly branch: number; readonly timer: SearchTimer }
  /** Send upstream. */
  | { readonly kind: 'reply'; readonly response: SipResponse }
  /** A target's final response, for the application. */
  | { readonly kind: 'report'; readonly branch: number; readonly response: SipResponse }
  /** Nobody answered: 408, which for anything but INVITE is not sent (RFC 4320 §4.2). */
  | { readonly kind: 'unanswered' }
  | { readonly kind: 'done' };

export type SearchStep = [Search, SearchEffect[]];

/** A search that has not begun: step it with `start`. */
export function searchOf(targets: readonly string[], options: SearchOptions): Search {
  const known = [...new Set(targets)];
  return { options, waiting: known, known, branches: [], finals: [], phase: 'searching' };
}

export function stepSearch(search: Search, event: SearchEvent): SearchStep {
  switch (event.kind) {
    case 'start':
      return advance(search);
    case 'cancelled':
      return onCancelled(search);
    case 'timeout':
      return onTimeout(search, event.branch, event.timer);
    case 'response':
      if (event.response.status < 200) return onProvisional(search, event.branch, event.response);
      if (event.response.status < 300) return onSuccess(search, event.branch, event.response);
      return onFailure(search, event.branch, event.response);
  }
}

function onProvisional(search: Search, branch: number, response: SipResponse): SearchStep {
  const phase = search.branches[branch];
  if (phase !== 'calling' && phase !== 'proceeding') return [search, []];
  const effects: SearchEffect[] = [{ kind: 'stop', branch, timer: 'provisional' }];
  // §16.7 step 2: 100 says nothing about the call and does not restart timer C.
  if (response.status > 100) {
    if (search.phase !== 'over') effects.push({ kind: 'reply', response });
    if (search.options.isInvite) effects.push({ kind: 'wait', branch, timer: 'c', delay: timerC });
  }
  return [withBranch(search, branch, 'proceeding'), effects];
}

/** §16.7 step 5: every 2xx to an INVITE goes upstream, whatever was sent before. */
function onSuccess(search: Search, branch: number, response: SipResponse): SearchStep {
  const isOver = search.phase === 'over';
  const isRepeated = search.branches[branch] === 'completed';
  const reply: SearchEffect[] =
    isOver && !search.options.isInvite ? [] : [{ kind: 'reply', response }];
  const done = withBranch(search, branch, 'completed');
  if (isOver || isRepeated) return [done, [...reply, ...stopAll(branch)]];
  const [ended, effects] = giveUpOthers({ ...done, waiting: [] });
  return [
    { ...ended, phase: 'over' },
    [
      ...reply,
      ...stopAll(branch),
      { kind: 'report', branch, response },
      ...effects,
      { kind: 'done' },
    ],
  ];
}

function onFailure(search: Search, branch: number, response: SipResponse): SearchStep {
  const phase = search.branches[branch];
  if (phase === undefined || phase === 'completed') return [search, []];
  const completed = withBranch(search, branch, 'completed');
  if (search.phase === 'over') return [completed, stopAll(branch)];
  const report: SearchEffect[] = [...stopAll(branch), { kind: 'report', branch, response }];
  // Given up on before: what it says now changes nothing.
  if (phase === 'abandoned') return then(advance(completed), report);
  return then(advance(collect(completed, response)), report);
}

/** Puts a failure where it belongs: among the finals, or, as a redirect, new targets behind the others. */
function collect(search: Search, response: SipResponse): Search {
  const { status } = response;
  const fresh =
    status < 400 && search.options.followRedirects && search.phase === 'searching'
      ? contactsOf(response).filter((uri) => !search.known.includes(uri))
      : [];
  if (fresh.length > 0) {
    return {
      ...search,
      waiting: [...search.waiting, ...fresh],
      known: [...search.known, ...fresh],
    };
  }
  const finals = [...search.finals, response];
  // §16.7 step 5 for 6xx; a challenge in a serial search is the caller's to answer.
  const endsSearch =
    status >= 600 || ((status === 401 || status === 407) && !search.options.isSimultaneous);
  return { ...search, finals, waiting: endsSearch ? [] : search.waiting };
}

function onTimeout(search: Search, branch: number, timer: SearchTimer): SearchStep {
  const phase = search.branches[branch];
  if (phase !== 'calling' && phase !== 'proceeding') return [search, []];
  if (timer === 'provisional' && phase === 'proceeding') return [search, []];
  const given = withBranch(search, branch, 'abandoned');
  return then(advance(given), [...stopAll(branch), { kind: 'cancel', branch }]);
}

/** §16.10: no new targets; the branches' own finals, 487 as a rule, go upstream. */
function onCancelled(search: Search): SearchStep {
  if (search.phase !== 'searching') return [search, []];
  const effects = pendingOf(search).flatMap((branch): SearchEffect[] => [
    { kind: 'stop', branch, timer: 'provisional' },
    { kind: 'cancel', branch },
  ]);
  return then(advance({ ...search, phase: 'cancelled', waiting: [] }), effects);
}

/** Tries what is to be tried now, or ends the search when nothing is left to wait for. */
function advance(search: Search): SearchStep {
  const hasSixHundred = search.finals.some(({ status }) => status >= 600);
  const pending = pendingOf(search);
  if (search.phase === 'searching' && hasSixHundred && pending.length > 0) {
    return [search, pending.map((branch) => ({ kind: 'cancel', branch }))];
  }
  const { isSimultaneous } = search.options;
  const next = isSimultaneous || pending.length === 0 ? search.waiting : [];
  const now = isSimultaneous ? next : next.slice(0, 1);
  if (now.length > 0) return forwardTo(search, now);
  return pending.length > 0 ? [search, []] : conclude(search);
}

function forwardTo(search: Search, targets: readonly string[]): SearchStep {
  const { isInvite, provisionalTimeout } = search.options;
  const first = search.branches.length;
  const effects = targets.flatMap((target, index): SearchEffect[] => {
    const branch = first + index;
    const waits: SearchEffect[] = [];
    if (isInvite) waits.push({ kind: 'wait', branch, timer: 'c', delay: timerC });
    if (provisionalTimeout !== undefined) {
      waits.push({ kind: 'wait', branch, timer: 'provisional', delay: provisionalTimeout });
    }
    return [...waits, { kind: 'forward', branch, target }];
  });
  const branches = [...search.branches, ...targets.map((): BranchPhase => 'calling')];
  return [{ ...search, branches, waiting: search.waiting.slice(targets.length) }, effects];
}

function conclude(search: Search): SearchStep {
  const response = bestResponse(search.finals);
  const end: SearchEffect = response ? { kind: 'reply', response } : { kind: 'unanswered' };
  return [{ ...search, phase: 'over' }, [end, { kind: 'done' }]];
}

function giveUpOthers(search: Search): SearchStep {
  const pending = pendingOf(search);
  const branches = search.branches.map(
    (phase, branch): BranchPhase => (pending.includes(branch) ? 'abandoned' : phase),
  );
  const effects = pending.flatMap((branch): SearchEffect[] => [
    ...stopAll(branch),
    { kind: 'cancel', branch },
  ]);
  return [{ ...search, branches }, effects];
}

function pendingOf(search: Search): number[] {
  return search.branches.flatMap((phase, branch) =>
    phase === 'calling' || phase === 'proceeding' ? [branch] : [],
  );
}

function withBranch(search: Search, branch: number, phase: BranchPhase): Search {
  return { ...search, branches: search.branches.with(branch, phase) };
}

function stopAll(branch: number): SearchEffect[] {
  return [
    { kind: 'stop', branch, timer: 'provisional' },
    { kind: 'stop', branch, timer: 'c' },
  ];
}

function then([search, effects]: SearchStep, before: SearchEffect[]): SearchStep {
  return [search, [...before, ...effects]];
}

/** SIP URIs of a redirect, best q first (§8.1.3.4). */
function contactsOf(response: SipResponse): string[] {
  return headers(response, 'contact')
    .map((value) => parseNameAddr(value))
    .filter((contact) => contact?.uri.kind === 'sip')
    .flatMap((contact) =>
      contact ? [{ uri: formatUri(contact.uri), q: qOf(contact.params) }] : [],
    )
    .toSorted((a, b) => b.q - a.q)
    .map(({ uri }) => uri)
    .filter((uri, index, all) => all.indexOf(uri) === index);
}

function qOf(params: readonly { name: string; value?: string }[]): number {
  const q = Number(params.find((each) => each.name.toLowerCase() === 'q')?.value ?? 1);
  return Number.isFinite(q) ? q : 1;
}
