import { type Agent, agentSchema } from '@parley/connector/contract/agent';
import { checkAgent } from '@parley/connector/contract/agent-check';
import { secretsFolder, tokenFile } from '@parley/connector/contract/pod';
import type { SecretKeyRef } from '../api/schema-parts.ts';
import type { SpecProvider, SpecTool, VoiceAgentSpec } from '../api/voice-agent-spec.ts';
import { hashOf } from './hash.ts';

/** What is wrong with an agent that its schema allows: `spec.tools[1].name: "end" is used twice`. */
export interface ConfigProblems {
  readonly problems: readonly string[];
}

/** `connector.json` and the name of its content. */
export interface ConnectorConfig {
  readonly revision: string;
  readonly text: string;
}

/** The configuration file of an agent's pods; problems where the connector would refuse it. */
export function connectorConfig(
  name: string,
  spec: VoiceAgentSpec,
): ConnectorConfig | ConfigProblems {
  const parsed = agentSchema.safeParse(agentOf(name, spec));
  if (!parsed.success)
    return {
      problems: parsed.error.issues.map(({ path, message }) => `${fieldOf(path)}: ${message}`),
    };
  const problems = checkAgent(parsed.data).map(({ path, reason }) => `${fieldOf(path)}: ${reason}`);
  if (problems.length > 0) return { problems };
  const content = {
    sip: { sourceRanges: spec.direct.sourceRanges },
    http: { tokenFile },
    drain: { timeoutSeconds: spec.drain.timeoutSeconds },
    agent: parsed.data,
  };
  const revision = hashOf(content);
  return { revision, text: JSON.stringify({ revision, ...content }, null, 1) };
}

function agentOf(name: string, spec: VoiceAgentSpec): Record<keyof Agent, unknown> {
  return {
    name,
    greeting: spec.greeting,
    instructions: spec.instructions,
    providers: spec.providers.map(providerOf),
    tools: spec.tools.map(toolOf),
    codecs: spec.codecs,
    apology: spec.apology,
    noInput: spec.noInput,
    maxDurationSeconds: spec.maxDurationSeconds,
    maxCalls: spec.maxCallsPerPod,
    recording: undefined,
  };
}

function providerOf(provider: SpecProvider): object {
  if (!('openai' in provider)) return provider;
  const { apiKeySecretRef, ...openai } = provider.openai;
  return { openai: { ...openai, apiKeyFile: secretFile(apiKeySecretRef) } };
}

function toolOf(tool: SpecTool): object {
  if (!('http' in tool)) return tool;
  const { headersSecretRef, ...http } = tool.http;
  return {
    ...tool,
    http: headersSecretRef ? { ...http, headersFile: secretFile(headersSecretRef) } : http,
  };
}

function secretFile({ name, key }: SecretKeyRef): string {
  return `${secretsFolder}/${name}/${key}`;
}

function fieldOf(path: readonly PropertyKey[]): string {
  return path.reduce<string>(
    (text, part) => (typeof part === 'number' ? `${text}[${part}]` : `${text}.${String(part)}`),
    'spec',
  );
}
