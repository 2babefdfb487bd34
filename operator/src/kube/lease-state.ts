/**
 * Leader election by a Lease, as client-go does it (leaderelection.go). Pure: the shell in leader-election.ts runs
 * the effects. Other clocks are never trusted: a lease is over when it was not seen to change for its
 * duration on our clock. It is no fence: what must not happen twice needs preconditions of its own.
 *
 *   follower -> leader -> lost
 */

/** The spec of a Lease. Times are MicroTime text; a time with milliseconds only is refused with 400. */
export interface LeaseRecord {
  readonly holderIdentity: string;
  readonly leaseDurationSeconds: number;
  readonly acquireTime: string;
  readonly renewTime: string;
  readonly leaseTransitions: number;
}

export interface LeaseTiming {
  readonly identity: string;
  /** Others take over when nothing was renewed for so long, ms. */
  readonly leaseDuration: number;
  /** The leader gives up when it could not renew for so long, ms; well below the duration. */
  readonly renewDeadline: number;
  /** Between tries, ms. */
  readonly retryPeriod: number;
}

interface Observed {
  readonly record: LeaseRecord;
  /** Resource version, the precondition of the next write. */
  readonly version: string;
  /** When this record was first seen, on our clock. */
  readonly since: number;
}

export interface LeaseState {
  readonly phase: 'follower' | 'leader' | 'lost';
  readonly observed: Observed | undefined;
  /** When the last successful renewal was sent: the lease is ours from then on at the least. */
  readonly renewedAt: number;
}

export type LeaseEvent =
  /** Time for the next try. */
  | { readonly type: 'due' }
  /** The renewal deadline may have passed. */
  | { readonly type: 'deadline' }
  | { readonly type: 'read'; readonly record: LeaseRecord | undefined; readonly version: string }
  | {
      readonly type: 'written';
      readonly record: LeaseRecord;
      readonly version: string;
      readonly sentAt: number;
    }
  /** 409: someone else wrote since. */
  | { readonly type: 'refused' }
  | { readonly type: 'failed' };

export type LeaseEffect =
  | { readonly type: 'read' }
  /** Creates where there is no version. */
  | { readonly type: 'write'; readonly record: LeaseRecord; readonly version: string | undefined }
  | { readonly type: 'wait'; readonly delay: number }
  /** Ask with `deadline` at this time. */
  | { readonly type: 'guard'; readonly at: number }
  | { readonly type: 'elected' }
  | { readonly type: 'lost' };

export interface LeaseMoment {
  readonly now: number;
  readonly wall: number;
  /** 0 ≤ random < 1. */
  readonly random: number;
}

type Step = readonly [LeaseState, readonly LeaseEffect[]];

export const newLease: LeaseState = { phase: 'follower', observed: undefined, renewedAt: 0 };

/** Whether we may act as the leader: true only as long as nobody else can have taken over. */
export function holdsLease(state: LeaseState, timing: LeaseTiming, now: number): boolean {
  return state.phase === 'leader' && now - state.renewedAt < timing.renewDeadline;
}

export function stepLease(
  state: LeaseState,
  event: LeaseEvent,
  { timing, moment }: { timing: LeaseTiming; moment: LeaseMoment },
): Step {
  if (state.phase === 'lost') return [state, []];
  // A process that was stopped and woke up hears of it here, whatever the event is.
  if (state.phase === 'leader' && !holdsLease(state, timing, moment.now)) return lose(state);
  switch (event.type) {
    case 'due':
      return [state, [renewalOf(state, timing, moment) ?? { type: 'read' }]];
    case 'deadline':
      return [state, [{ type: 'guard', at: state.renewedAt + timing.renewDeadline }]];
    case 'read':
      return stepRead(state, event, { timing, moment });
    case 'written':
      return stepWritten(state, event, { timing, moment });
    case 'refused':
      return state.phase === 'leader'
        ? [state, [{ type: 'read' }]]
        : [state, [next(state, timing, moment)]];
    case 'failed':
      return [state, [next(state, timing, moment)]];
  }
}

function stepRead(
  state: LeaseState,
  { record, version }: LeaseEvent & { type: 'read' },
  { timing, moment }: { timing: LeaseTiming; moment: LeaseMoment },
): Step {
  const { identity } = timing;
  if (!record) {
    if (state.phase === 'leader') return lose(state);
    const observed = undefined;
    return [{ ...state, observed }, [takeover(undefined, timing, moment)]];
  }
  const isKnown = state.observed && isSame(state.observed.record, record);
  const since = isKnown && state.observed ? state.observed.since : moment.now;
  const observed = { record, version, since };
  if (state.phase === 'leader') {
    if (record.holderIdentity !== identity) return lose({ ...state, observed });
    const own: LeaseState = { ...state, observed };
    return [own, [renewalOf(own, timing, moment) ?? { type: 'read' }]];
  }
  const isFree =
    record.holderIdentity === '' ||
    record.holderIdentity === identity ||
    moment.now - since >= record.leaseDurationSeconds * 1000;
  const effect = isFree ? takeover(observed, timing, moment) : next(state, timing, moment);
  return [{ ...state, observed }, [effect]];
}

function stepWritten(
  state: LeaseState,
  { record, version, sentAt }: LeaseEvent & { type: 'written' },
  { timing, moment }: { timing: LeaseTiming; moment: LeaseMoment },
): Step {
  const written: LeaseState = {
    phase: 'leader',
    observed: { record, version, since: sentAt },
    renewedAt: sentAt,
  };
  // The answer came so late that the lease may be over already.
  if (!holdsLease(written, timing, moment.now))
    return state.phase === 'leader'
      ? lose(written)
      : [{ ...state, observed: undefined }, [{ type: 'read' }]];
  const guard: LeaseEffect = { type: 'guard', at: sentAt + timing.renewDeadline };
  const follow = [guard, next(written, timing, moment)];
  return [written, state.phase === 'leader' ? follow : [{ type: 'elected' }, ...follow]];
}

function lose(state: LeaseState): Step {
  return [{ ...state, phase: 'lost' }, [{ type: 'lost' }]];
}

/** Followers spread their tries, lest all of them meet when a lease is over. */
function next(
  state: LeaseState,
  { retryPeriod }: LeaseTiming,
  { random }: LeaseMoment,
): LeaseEffect {
  const delay = state.phase === 'leader' ? retryPeriod : retryPeriod * (1 + random * 1.2);
  return { type: 'wait', delay };
}

function takeover(
  observed: Observed | undefined,
  { identity, leaseDuration }: LeaseTiming,
  { wall }: LeaseMoment,
): LeaseEffect {
  const time = microTimeOf(wall);
  const before = observed?.record;
  const record: LeaseRecord = {
    holderIdentity: identity,
    leaseDurationSeconds: Math.ceil(leaseDuration / 1000),
    acquireTime: time,
    renewTime: time,
    leaseTransitions: before
      ? before.leaseTransitions + (before.holderIdentity === identity ? 0 : 1)
      : 0,
  };
  return { type: 'write', record, version: observed?.version };
}

/** The leader writes over what it wrote last, without reading it first. */
function renewalOf(
  { phase, observed }: LeaseState,
  { leaseDuration }: LeaseTiming,
  { wall }: LeaseMoment,
): LeaseEffect | undefined {
  if (phase !== 'leader' || !observed) return undefined;
  const record: LeaseRecord = {
    ...observed.record,
    leaseDurationSeconds: Math.ceil(leaseDuration / 1000),
    renewTime: microTimeOf(wall),
  };
  return { type: 'write', record, version: observed.version };
}

/** What the leader writes when it goes on purpose: the next one need not wait. */
export function releaseOf({ record }: Observed, wall: number): LeaseRecord {
  const time = microTimeOf(wall);
  return {
    ...record,
    holderIdentity: '',
    leaseDurationSeconds: 1,
    acquireTime: time,
    renewTime: time,
  };
}

/** metav1.MicroTime: exactly six digits after the second. */
export function microTimeOf(wall: number): string {
  return new Date(wall).toISOString().replace('Z', '000Z');
}

function isSame(a: LeaseRecord, b: LeaseRecord): boolean {
  return (
    a.holderIdentity === b.holderIdentity &&
    a.renewTime === b.renewTime &&
    a.acquireTime === b.acquireTime &&
    a.leaseTransitions === b.leaseTransitions
  );
}
