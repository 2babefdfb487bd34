import type { Clock } from '../../base/clock.ts';
import type { Dialog } from '../dialog/dialog.ts';
import type { SessionTimerState } from '../dialog/session-timer.ts';
import { TimerSet } from '../transaction/timer-set.ts';
import type { RequestDraft, Sent } from '../user-agent.ts';

/** Our INVITE in a dialog, as long as it has no final response. */
export interface PendingInvite {
  /** Cancels it for a BYE. */
  withdraw(): void;
}

/** The peer's INVITE in a dialog: unanswered, or answered with a 2xx that waits for its ACK. */
export interface OpenInvite {
  readonly isAnswered: boolean;
}

/** Our INVITE that was answered with a 2xx and has no ACK yet. */
export interface Acknowledgeable {
  acknowledge(draft: RequestDraft): Promise<Sent>;
  /** Does without the application: the ACK, and a BYE where the call began with the INVITE. */
  forsake(): void;
  /** The dialog has ended first: there is nothing to acknowledge any more. */
  drop(): void;
}

/** A reliable provisional of the peer's (RFC 3262): RSeq, and the CSeq of our INVITE. */
export interface ReliableProvisional {
  readonly invite: number;
  readonly sequence: number;
  /** Our PRACK is out. */
  readonly isConfirmed: boolean;
}

/** What does not change in the life of a dialog. */
export interface DialogOrigin {
  /** Wall clock; now where absent. */
  readonly createdAt?: number;
  readonly owner?: string | undefined;
}

interface LiveDialogOptions extends DialogOrigin {
  readonly onChange?: (live: LiveDialog) => void;
}

/** A dialog and what is under way in it. */
export class LiveDialog {
  readonly #onChange: (live: LiveDialog) => void;
  #state: Dialog;
  clientInvite: PendingInvite | undefined;
  serverInvite: OpenInvite | undefined;
  /** UPDATEs without final response (RFC 3311 §5.2). */
  hasClientUpdate = false;
  hasServerUpdate = false;
  /** Our 2xx-answered INVITE that the application has to acknowledge. */
  unacknowledged: Acknowledgeable | undefined;
  #isLeaving = false;
  /** Lets a BYE of the application go that waits for the peer's ACK (RFC 3261 §15). */
  heldBye: (() => void) | undefined;
  /** Sends one after the other, so that requests leave in the order of their CSeq. */
  #turn: Promise<unknown> = Promise.resolve();
  #isEnded = false;

  /** The last one. */
  reliable: ReliableProvisional | undefined;
  #session: SessionTimerState = { name: 'off' };
  /** Settles when a refresh of ours, of which the application knows nothing, is over. */
  refreshing: Promise<void> | undefined;
  /** End with the dialog. */
  readonly timers: TimerSet<'subscription' | 'ack' | 'refresh' | 'expire'>;

  /** Wall clock, ms since the epoch. */
  readonly createdAt: number;
  /** Whose it is, of applications that come back under that name. */
  readonly owner: string | undefined;

  /** `onChange` runs with every change of what has to outlive the process. */
  constructor(
    state: Dialog,
    clock: Clock,
    { onChange = () => undefined, createdAt = clock.wall(), owner }: LiveDialogOptions = {},
  ) {
    this.#state = state;
    this.#onChange = onChange;
    this.createdAt = createdAt;
    this.owner = owner;
    this.timers = new TimerSet(clock);
  }

  /** Replaced with every change. */
  get state(): Dialog {
    return this.#state;
  }

  set state(state: Dialog) {
    this.#state = state;
    this.#changed();
  }

  /** RFC 4028. */
  get session(): SessionTimerState {
    return this.#session;
  }

  set session(session: SessionTimerState) {
    this.#session = session;
    this.#changed();
  }

  /** A BYE of ours is out, or about to go out. */
  get isLeaving(): boolean {
    return this.#isLeaving;
  }

  set isLeaving(isLeaving: boolean) {
    this.#isLeaving = isLeaving;
    this.#changed();
  }

  get id(): string {
    return this.state.id;
  }

  get isEnded(): boolean {
    return this.#isEnded;
  }

  /** Takes the next CSeq. */
  nextSequence(): number {
    const localSequence = this.state.localSequence + 1;
    this.state = { ...this.state, localSequence };
    return localSequence;
  }

  /** Runs `task` when those before it are done. */
  inTurn<T>(task: () => Promise<T>): Promise<T> {
    const mine = this.#turn.then(task);
    this.#turn = mine.catch(() => undefined);
    return mine;
  }

  /** Releases what belongs to the dialog; only the store calls it. */
  end(): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.timers.clear();
    const bye = this.heldBye;
    this.heldBye = undefined;
    bye?.();
  }

  #changed(): void {
    if (!this.#isEnded) this.#onChange(this);
  }
}
