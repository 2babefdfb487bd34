import { createHash } from 'node:crypto';
import { RE2JS } from 're2js';
import { z } from 'zod';
import { type Agent, agentSchema } from '../contract/agent.ts';

/** Several agents in one file, and which of them a call is for. */

/** One of `agents`: an agent, and the calls it is for. */
export const agentEntry = agentSchema.extend({
  /** RE2 patterns; each is held against the beginning of the dialled user, in lower case. */
  match: z
    .array(z.string().min(1).refine(isPattern, 'no RE2 pattern (there is no look-around)'))
    .default([]),
  /** Takes no calls, and its keys need not be there. */
  disabled: z.boolean().default(false),
});

type AgentEntry = z.infer<typeof agentEntry>;

/** An agent with its place in the file. */
export interface ConfiguredAgent {
  /** `agent`, or `agents.0`; with it begin the names of its secrets. */
  readonly path: string;
  readonly agent: Agent;
  readonly match: readonly string[];
  readonly isDisabled: boolean;
}

/** All agents of a file: that of `agent`, or those of `agents`. */
export function agentsOf(file: {
  readonly agent?: Agent | undefined;
  readonly agents?: readonly AgentEntry[] | undefined;
}): readonly ConfiguredAgent[] {
  const { agent, agents = [] } = file;
  const single = agent ? [{ path: 'agent', agent, match: [], isDisabled: false }] : [];
  return [
    ...single,
    ...agents.map(({ match, disabled: isDisabled, ...rest }, index) => ({
      path: `agents.${index}`,
      agent: rest,
      match,
      isDisabled,
    })),
  ];
}

/** Why an agent was chosen: by a pattern, by its name, or because some agent must answer. */
export interface Choice<T> {
  readonly chosen: T;
  readonly by: 'match' | 'name' | 'hash';
}

/**
 * The agent for a dialled user: the first with a pattern that matches, else the one of that name, else
 * one by a hash, the same in every process. Undefined when all are disabled.
 */
export function chooseAgent<T extends Omit<ConfiguredAgent, 'path'>>(
  agents: readonly T[],
  dialledUser: string,
): Choice<T> | undefined {
  const user = dialledUser.toLowerCase();
  const enabled = agents.filter(({ isDisabled }) => !isDisabled);
  const matching = enabled.find(({ match }) => match.some((pattern) => begins(user, pattern)));
  if (matching) return { chosen: matching, by: 'match' };
  const named = enabled.find(({ agent }) => agent.name === user);
  if (named) return { chosen: named, by: 'name' };
  const chosen = enabled[placeOf(user, enabled.length)];
  return chosen && { chosen, by: 'hash' };
}

/** Linear in the text whatever the pattern: callers choose what they dial. */
function begins(user: string, pattern: string): boolean {
  return RE2JS.compile(pattern).matcher(user).lookingAt();
}

function placeOf(user: string, count: number): number {
  return createHash('sha256').update(user).digest().readUInt32BE() % Math.max(count, 1);
}

function isPattern(text: string): boolean {
  try {
    RE2JS.compile(text);
    return true;
  } catch {
    return false;
  }
}
