import type { Provider } from '../ai/session.ts';
import type { Agent } from '../contract/agent.ts';
import type { Speaker } from '../conversation/conversation.ts';

/** What calls are answered with. A call keeps what it began with, whatever is configured later. */
export interface AgentSetup {
  readonly agent: Agent;
  /** The first is used, the rest are fallbacks. */
  readonly providers: readonly Provider[];
  readonly speaker: Speaker | undefined;
  /** URIs that may be dialled; empty for none. */
  readonly destinations: readonly string[];
  /** Called once, when another setup is in use and the last call with this one is over. */
  release(): void;
}

/** All that calls are answered with at one time. */
export interface Roster {
  /** Who may answer, in order; the first also dials. */
  readonly setups: readonly AgentSetup[];
  /** Calls at one time, of all agents. */
  readonly maxCalls: number;
  /** One of `setups` for a dialled user; undefined where nobody is there. */
  readonly choose: (dialledUser: string) => AgentSetup | undefined;
  /**
   * A setup for this call alone, or undefined where the chosen one does; its `release` is called when the
   * call is over. Takes a bounded time; never rejects.
   */
  readonly override?:
    | ((call: OverrideRequest, chosen: AgentSetup) => Promise<AgentSetup | undefined>)
    | undefined;
}

/** A call whose agent may be changed. */
export interface OverrideRequest {
  /** Of the call, in the log. */
  readonly id: string;
  readonly dialledUser: string;
  readonly sourceAddress: string;
  /** Of the INVITE, by its name in lower case. */
  readonly header: (name: string) => string | undefined;
  /** The call is over. */
  readonly signal: AbortSignal;
}

/** Counts the calls with a setup, so that it is released neither too early nor never. */
export class SetupUse {
  readonly setup: AgentSetup;
  #calls = 0;
  #isReplaced = false;

  constructor(setup: AgentSetup) {
    this.setup = setup;
  }

  take(): void {
    this.#calls += 1;
  }

  leave(): void {
    this.#calls -= 1;
    if (this.#isReplaced && this.#calls === 0) this.setup.release();
  }

  /** New calls get another setup. Once. */
  replace(): void {
    this.#isReplaced = true;
    if (this.#calls === 0) this.setup.release();
  }
}

/** What one call is answered with: the setup that was chosen, or the one made for it. */
export class CallSetup {
  #use: SetupUse;
  #isLeft = false;

  constructor(use: SetupUse) {
    this.#use = use;
    use.take();
  }

  get setup(): AgentSetup {
    return this.#use.setup;
  }

  /** Another for this call alone. Before its audio is opened. */
  change(setup: AgentSetup): void {
    const own = new SetupUse(setup);
    own.take();
    own.replace();
    if (this.#isLeft) return own.leave();
    this.#use.leave();
    this.#use = own;
  }

  /** The call is over. Once. */
  leave(): void {
    this.#isLeft = true;
    this.#use.leave();
  }
}
