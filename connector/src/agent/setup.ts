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
