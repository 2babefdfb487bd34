import type { AgentSetup, Roster } from './agent/setup.ts';
import type { LiveConfig } from './app-live.ts';
import { createOverride } from './app-override.ts';
import { type AgentWithSecrets, PhraseVoice, ProviderPool } from './app-providers.ts';
import { ProviderWatches, type WatchedGroup } from './app-watches.ts';
import type { Clock } from './base/clock.ts';
import type { CloseInOrder } from './base/close-in-order.ts';
import type { Log } from './base/log.ts';
import { chooseAgent } from './config/agents.ts';
import type { Config } from './config.ts';
import type { OverrideOutcome } from './override/outcome.ts';

export interface AgentsParts {
  readonly live: Pick<LiveConfig, 'trusts' | 'asksForDigest'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly parts: CloseInOrder;
  readonly onOverride: (outcome: OverrideOutcome) => void;
}

/** Who answers calls, and whose providers are to be watched. */
export interface Agents {
  readonly roster: Roster;
  readonly groups: readonly WatchedGroup[];
}

/** Makes of a configuration what calls are answered with. */
export class AgentMaker {
  readonly #parts: AgentsParts;
  readonly #pool: ProviderPool;
  readonly #voice: PhraseVoice;
  readonly watches: ProviderWatches;

  constructor(of: AgentsParts) {
    const { clock, log, parts } = of;
    this.#parts = of;
    const pool = new ProviderPool({ clock, log });
    parts.add('providers', () => pool.close());
    const voice = new PhraseVoice({ clock, log });
    parts.add('voice', () => voice.close());
    const watches = new ProviderWatches({ clock, log });
    parts.add('provider watch', () => watches.close());
    this.#pool = pool;
    this.#voice = voice;
    this.watches = watches;
  }

  /** Throws CONFIG_INVALID; then nothing was taken. */
  make(config: Config): Agents {
    const enabled = config.agents.filter(({ isDisabled }) => !isDisabled);
    const made: (WatchedGroup & { readonly setup: AgentSetup })[] = [];
    try {
      for (const { path, agent } of enabled)
        made.push(this.#setupOf(config, { path, agent, secrets: config.secrets }));
    } catch (error) {
      for (const { setup } of made) setup.release();
      throw error;
    }
    const setupFor = new Map(made.map(({ setup }, index) => [enabled[index], setup]));
    const choose = (user: string) => setupFor.get(chooseAgent(enabled, user)?.chosen);
    const setups = made.map(({ setup }) => setup);
    const own = (of: AgentWithSecrets) => this.#setupOf(config, of).setup;
    const override = createOverride(config, { ...this.#parts, own });
    return { roster: { setups, maxCalls: maxCallsOf(config), choose, override }, groups: made };
  }

  #setupOf({ sip }: Config, of: AgentWithSecrets): WatchedGroup & { setup: AgentSetup } {
    const { agent } = of;
    const { providers, giveBack: release } = this.#pool.take(of);
    const speaker = this.#voice.speakerFor(agent);
    const setup = { agent, providers, speaker, destinations: sip.destinations, release };
    return { name: agent.name, providers, setup };
  }
}

/** What all agents may have together, as far as there are ports. */
function maxCallsOf({ agents, rtp }: Config): number {
  const wanted = agents
    .filter(({ isDisabled }) => !isDisabled)
    .reduce((sum, { agent }) => sum + agent.maxCalls, 0);
  // With none at all a call is refused for that, not for want of room.
  return Math.min(Math.max(wanted, 1), (rtp.ports.last - rtp.ports.first + 1) / 2);
}
