import type { SecretKeyRef } from '../api/schema-parts.ts';
import type { VoiceAgentSpec } from '../api/voice-agent-spec.ts';

/** A Secret's key and the field that asks for it. */
export interface SecretUse {
  readonly ref: SecretKeyRef;
  /** `spec.providers[0].openai.apiKeySecretRef`. */
  readonly field: string;
}

/** Every key of a Secret that an agent needs, in the order of the spec. */
export function secretUsesOf(spec: VoiceAgentSpec): SecretUse[] {
  const providers = spec.providers.flatMap((provider, index) =>
    'openai' in provider
      ? [
          {
            ref: provider.openai.apiKeySecretRef,
            field: `spec.providers[${index}].openai.apiKeySecretRef`,
          },
        ]
      : [],
  );
  const tools = spec.tools.flatMap((tool, index) =>
    'http' in tool && tool.http.headersSecretRef
      ? [
          {
            ref: tool.http.headersSecretRef,
            field: `spec.tools[${index}].http.headersSecretRef`,
          },
        ]
      : [],
  );
  return [...providers, ...tools];
}

/** The keys by Secret, each once, sorted. */
export function keysBySecret(spec: VoiceAgentSpec): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, Set<string>>();
  for (const { ref } of secretUsesOf(spec))
    found.set(ref.name, (found.get(ref.name) ?? new Set()).add(ref.key));
  return new Map(
    [...found]
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, keys]) => [name, [...keys].toSorted()]),
  );
}
