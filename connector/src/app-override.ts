import type { AgentSetup, OverrideRequest, Roster } from './agent/setup.ts';
import type { LiveConfig } from './app-live.ts';
import type { AgentWithSecrets } from './app-providers.ts';
import { AddressRanges } from './base/address-ranges.ts';
import type { Clock } from './base/clock.ts';
import { messageOf } from './base/errors.ts';
import type { Log } from './base/log.ts';
import type { ConfiguredAgent } from './config/agents.ts';
import type { Config } from './config.ts';
import { callHttpTool } from './conversation/tools/http.ts';
import type { HttpTool } from './conversation/tools/specs.ts';
import type { OverrideOutcome } from './override/outcome.ts';
import {
  forbiddenIn,
  headerText,
  isEmpty,
  mergePatches,
  type Patch,
  patchAgent,
  readPatch,
} from './override/patch.ts';

export interface OverrideParts {
  readonly live: Pick<LiveConfig, 'trusts' | 'asksForDigest'>;
  readonly clock: Clock;
  readonly log: Log;
  /** Makes a setup for one call; throws CONFIG_INVALID. */
  readonly own: (of: AgentWithSecrets) => AgentSetup;
  readonly onOverride: (outcome: OverrideOutcome) => void;
}

type Source = OverrideOutcome['source'];

/** How a webhook and a header change the agent of one call; undefined where none is configured. */
export function createOverride(config: Config, parts: OverrideParts): Roster['override'] {
  const { override } = config;
  if (!override?.webhook && !override?.header) return undefined;
  const overrides = new Overrides(config, parts);
  return (call, chosen) => overrides.setupFor(call, chosen);
}

class Overrides {
  readonly #config: Config;
  readonly #parts: OverrideParts;
  readonly #enabled: readonly ConfiguredAgent[];
  readonly #ranges: AddressRanges | undefined;

  constructor(config: Config, parts: OverrideParts) {
    this.#config = config;
    this.#parts = parts;
    this.#enabled = config.agents.filter(({ isDisabled }) => !isDisabled);
    const ranges = config.override?.header?.sourceRanges;
    this.#ranges = ranges && new AddressRanges(ranges);
  }

  /** Undefined where the chosen one does. Never rejects: a failure is the configured agent. */
  async setupFor(call: OverrideRequest, chosen: AgentSetup): Promise<AgentSetup | undefined> {
    try {
      const asked = await this.#webhook(call);
      const headed = this.#header(call);
      const patch = mergePatches(asked ?? {}, headed ?? {});
      if (isEmpty(patch) || call.signal.aborted) return undefined;
      return this.#patched(patch, { call, chosen, source: headed ? 'header' : 'webhook' });
    } catch (error) {
      this.#parts.log.error({ call: call.id, error: messageOf(error) }, 'an override failed');
      return undefined;
    }
  }

  async #webhook(call: OverrideRequest): Promise<Patch | undefined> {
    const { webhook } = this.#config.override ?? {};
    if (!webhook) return undefined;
    const answer = await callHttpTool(
      {
        tool: this.#toolOf(webhook),
        arguments: { bot: call.dialledUser.toLowerCase() },
        idempotencyKey: call.id,
        signal: call.signal,
      },
      { clock: this.#parts.clock },
    );
    if (answer.outcome === 'ok') return this.#read(answer.text, { call, source: 'webhook' });
    return this.#refuse({ source: 'webhook', outcome: 'failed' }, call, errorIn(answer.text));
  }

  #toolOf(webhook: NonNullable<NonNullable<Config['override']>['webhook']>): HttpTool {
    const { url, headersFile, timeoutSeconds, allowPrivateAddresses } = webhook;
    const token = this.#config.secrets.get('override.webhook.token');
    return {
      name: 'override',
      http: {
        url,
        headersFile,
        timeoutSeconds,
        allowPrivateAddresses,
        method: 'POST',
        parametersSchema: {},
        headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
        idempotent: true,
      },
    };
  }

  #header(call: OverrideRequest): Patch | undefined {
    const { header } = this.#config.override ?? {};
    const value = header && call.header(header.name.toLowerCase());
    if (!value) return undefined;
    if (!this.#mayHead(call.sourceAddress))
      return this.#refuse({ source: 'header', outcome: 'refused' }, call, 'not from this source');
    return this.#read(headerText(value), { call, source: 'header' });
  }

  #mayHead(address: string): boolean {
    if (this.#ranges) return this.#ranges.has(address);
    // A file that asks for a digest since a reload makes nobody authenticated before the restart.
    const { live } = this.#parts;
    return live.asksForDigest || live.trusts(address);
  }

  #read(
    text: string,
    { call, source }: { readonly call: OverrideRequest; readonly source: Source },
  ): Patch | undefined {
    const read = readPatch(
      text,
      this.#enabled.map(({ agent }) => agent.name),
    );
    if ('reason' in read) return this.#refuse({ source, outcome: 'invalid' }, call, read.reason);
    const { patch, notes } = read;
    if (notes.length > 0)
      this.#parts.log.warn({ call: call.id, source, notes }, 'parts of an override are left out');
    const allowed = (this.#config.override?.allow ?? []).filter(
      (one) => source === 'webhook' || one === 'transfer',
    );
    const forbidden = forbiddenIn(patch, allowed);
    if (forbidden)
      return this.#refuse({ source, outcome: 'refused' }, call, `${forbidden} is not allowed`);
    this.#parts.onOverride({ source, outcome: isEmpty(patch) ? 'none' : 'ok' });
    return patch;
  }

  #refuse(outcome: OverrideOutcome, call: OverrideRequest, reason: string): undefined {
    this.#parts.onOverride(outcome);
    const { log } = this.#parts;
    log.warn({ call: call.id, ...outcome, reason }, 'an override does not count');
  }

  #patched(
    patch: Patch,
    of: { readonly call: OverrideRequest; readonly chosen: AgentSetup; readonly source: Source },
  ): AgentSetup | undefined {
    const wanted = patch.agent ?? of.chosen.agent.name;
    const configured = this.#enabled.find(({ agent }) => agent.name === wanted);
    if (!configured) return this.#invalid(of, 'no agent of that name takes calls');
    const patched = patchAgent(configured.agent, patch);
    if ('reason' in patched) return this.#invalid(of, patched.reason);
    const { path } = configured;
    const { agent } = patched;
    const { key } = patch;
    const secrets =
      key === undefined
        ? this.#config.secrets
        : agent.providers.reduce(
            (all, _, index) => all.with(`${path}.providers.${index}.openai.apiKey`, key),
            this.#config.secrets,
          );
    const preparedGreeting = configured.agent.greeting;
    return this.#parts.own({ path, agent, secrets, preparedGreeting });
  }

  #invalid(
    { call, source }: { readonly call: OverrideRequest; readonly source: Source },
    reason: string,
  ): undefined {
    return this.#refuse({ source, outcome: 'invalid' }, call, reason);
  }
}

/** What went wrong, without what the server wrote about it. */
function errorIn(text: string): string {
  try {
    const value: unknown = JSON.parse(text);
    const error = typeof value === 'object' && value !== null && 'error' in value && value.error;
    return typeof error === 'string' ? error : 'failed';
  } catch {
    return 'failed';
  }
}
