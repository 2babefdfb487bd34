import type { Clock, Timer } from '../base/clock.ts';
import type { InboundRequest } from '../sip/user-agent.ts';
import type { Application } from './application.ts';
import type { Notice } from './notify.ts';
import type { Reply } from './reply.ts';

/** How long an application that is gone is waited for, in ms from its going. */
export interface Patience {
  /** Requests of the far ends wait; afterwards they are refused. */
  readonly hold: number;
  /** Its calls stay up; afterwards they get their BYE. */
  readonly keep: number;
}

export const defaultPatience: Patience = { hold: 10_000, keep: 60_000 };

/** The connection of an application that said who it is. */
export interface Seat {
  notify(notice: Notice): void;
  reply(command: string, reply: Reply): void;
  close(): void;
}

/** What a node has done around it. Calls are synchronous. */
export interface NodeUser {
  /** Requests it was given and has not finally answered, oldest first. */
  unansweredOf(node: Node): readonly InboundRequest[];
  /** Answers in the application's place. */
  answer(request: InboundRequest, status: 200 | 503): void;
  /** Takes one more notice into account that waits; false when there is no room. */
  takeRoom(): boolean;
  giveRoom(count: number): void;
  /** Nobody waits for the outcome of what it began. */
  onAbsent(node: Node): void;
  /** It does not come back. */
  onLost(node: Node): void;
}

export interface NodeOptions {
  readonly identity: string;
  readonly patience: Patience;
  readonly clock: Clock;
  readonly user: NodeUser;
}

/** Notices are repeated in this order (`dialog-restore.md` 6.4). */
const replayOrder = ['request', 'response', 'server-request'] as const;

/**
 * An application by the name it gave itself (`node@gw-1`), over all its connections and the gaps between
 * them: what belongs to it waits for the next one, for a while.
 */
export class Node implements Application {
  readonly identity: string;
  readonly tags: readonly string[];
  readonly #options: NodeOptions;
  readonly #user: NodeUser;
  #seat: Seat | undefined;
  /** Commands of this connection that have no reply. */
  readonly #commands = new Set<string>();
  #phase: 'holding' | 'absent' | 'lost' = 'holding';
  /** What waits and takes up room. */
  #held: Notice[] = [];
  /** BYEs that were answered in its absence: one for each dialog at most. */
  #farewells: Notice[] = [];
  #timer: Timer;

  /** Begins without a connection, as after a restart of the server. */
  constructor(options: NodeOptions) {
    this.identity = options.identity;
    this.tags = [options.identity];
    this.#options = options;
    this.#user = options.user;
    this.#timer = this.#wait();
  }

  get isOpen(): boolean {
    return this.#phase !== 'lost';
  }

  get hasWaiting(): boolean {
    return this.#held.length > 0 || this.#farewells.length > 0;
  }

  isAt(seat: Seat): boolean {
    return this.#seat === seat;
  }

  /** A connection is authenticated. It gets what the one before it left undone; that one is closed. */
  join(seat: Seat): void {
    const before = this.#seat;
    this.#timer.cancel();
    this.#commands.clear();
    this.#seat = seat;
    before?.close();
    this.#replay(seat);
  }

  /** Its connection is gone. */
  leave(): void {
    this.#seat = undefined;
    this.#commands.clear();
    this.#timer = this.#wait();
  }

  /** A command of the connection that is here: only such are replied to. */
  expect(command: string): void {
    this.#commands.add(command);
  }

  notify(notice: Notice): void {
    if (this.#seat) this.#seat.notify(notice);
    else if (isCancel(notice)) this.#withdraw(notice.request.transaction);
    else if (this.#phase === 'holding') this.#hold(notice);
    else this.#fallBack(notice);
  }

  reply(command: string, reply: Reply): void {
    if (!this.#commands.has(command)) return;
    // A proxied request is answered branch by branch.
    if (reply.kind !== 'branch-answered') this.#commands.delete(command);
    this.#seat?.reply(command, reply);
  }

  close(): void {
    this.#timer.cancel();
    this.#seat = undefined;
    this.#phase = 'lost';
    this.#take();
    this.#farewells = [];
  }

  #wait(): Timer {
    this.#phase = 'holding';
    const { clock, patience } = this.#options;
    return clock.after(patience.hold, () => this.#onAbsent());
  }

  #onAbsent(): void {
    const { clock, patience } = this.#options;
    this.#phase = 'absent';
    this.#timer = clock.after(Math.max(0, patience.keep - patience.hold), () => this.#onLost());
    const held = this.#take();
    const waiting = new Set(
      held.filter((each) => each.kind === 'request').map((each) => each.request),
    );
    for (const request of this.#user.unansweredOf(this)) {
      if (!waiting.has(request)) this.#fallBack({ kind: 'request', request });
    }
    for (const notice of held) this.#fallBack(notice);
    this.#user.onAbsent(this);
  }

  #onLost(): void {
    this.close();
    this.#user.onLost(this);
  }

  #hold(notice: Notice): void {
    if (notice.kind === 'server-request') this.#farewells.push(notice);
    else if (this.#user.takeRoom()) this.#held.push(notice);
    else this.#fallBack(notice);
  }

  /** Without the application: a call may end, all else may be tried again later. */
  #fallBack(notice: Notice): void {
    if (notice.kind === 'server-request') this.#farewells.push(notice);
    if (notice.kind !== 'request' || notice.request.message.method === 'ACK') return;
    const { request } = notice;
    if (request.message.method !== 'BYE') {
      this.#user.answer(request, 503);
      return;
    }
    this.#user.answer(request, 200);
    this.#farewells.push({ kind: 'server-request', request });
  }

  /** A request that was cancelled in the gap never was, for who comes back. */
  #withdraw(transaction: string): void {
    const left = this.#held.filter(
      (each) => each.kind !== 'request' || each.request.transaction !== transaction,
    );
    this.#user.giveRoom(this.#held.length - left.length);
    this.#held = left;
  }

  #replay(seat: Seat): void {
    const waiting = [...this.#take(), ...this.#farewells];
    this.#farewells = [];
    const held = new Set(waiting.map((each) => each.kind === 'request' && each.request));
    for (const request of this.#user.unansweredOf(this)) {
      if (!held.has(request)) seat.notify({ kind: 'request', request });
    }
    for (const kind of replayOrder) {
      for (const notice of waiting) if (notice.kind === kind) seat.notify(notice);
    }
  }

  #take(): Notice[] {
    const held = this.#held;
    this.#held = [];
    this.#user.giveRoom(held.length);
    return held;
  }
}

function isCancel(notice: Notice): notice is Extract<Notice, { kind: 'request' }> {
  return notice.kind === 'request' && notice.request.message.method === 'CANCEL';
}
