import type { Clock } from '../../base/clock.ts';
import type { Dialog } from '../dialog/dialog.ts';
import type { SessionTimerState } from '../dialog/session-timer.ts';
import type { LiveDialog } from './live-dialog.ts';

/** A dialog in the journal. Times are of the wall clock: the monotonic one ends with its machine. */
export interface DialogRecord {
  readonly state: Dialog;
  readonly session: SessionTimerState;
  readonly isLeaving: boolean;
  readonly createdAt: number;
  /** Whose it is, of applications that come back under that name. */
  readonly owner?: string;
}

const prefix = 'dialog ';

export function isDialogKey(key: string): boolean {
  return key.startsWith(prefix);
}

export function dialogKey({ callId, localTag, remoteTag }: Dialog): string {
  return `${prefix}${callId} ${localTag} ${remoteTag}`;
}

export function dialogRecord(live: LiveDialog, clock: Clock): DialogRecord {
  const { state, session, isLeaving, createdAt, owner } = live;
  const due = clock.wall() - clock.now();
  return {
    state,
    session: movedBy(session, due),
    isLeaving,
    createdAt,
    ...(owner !== undefined && { owner }),
  };
}

/** The session as of this process's clock. */
export function sessionOfRecord(record: DialogRecord, clock: Clock): SessionTimerState {
  return movedBy(record.session, clock.now() - clock.wall());
}

function movedBy(session: SessionTimerState, shift: number): SessionTimerState {
  return session.name === 'off' ? session : { ...session, due: session.due + shift };
}
