import type { VoiceAgentSpec } from '../../api/voice-agent-spec.ts';
import type { Secret } from '../../kube/kinds.ts';
import { keysBySecret, secretUsesOf } from '../../pods/secret-refs.ts';

/** What is wrong with one reference: which field, and what is not there. */
export interface ReferenceProblem {
  readonly reason: 'SecretNotFound' | 'SecretKeyNotFound';
  readonly message: string;
}

/** The references of a spec that lead nowhere; `find` looks in the agent's namespace. */
export function checkReferences(
  spec: VoiceAgentSpec,
  find: (name: string) => Secret | undefined,
): ReferenceProblem[] {
  return secretUsesOf(spec).flatMap(({ ref, field }): ReferenceProblem[] => {
    const secret = find(ref.name);
    if (!secret)
      return [{ reason: 'SecretNotFound', message: `${field}: there is no Secret "${ref.name}"` }];
    if (secret.data?.[ref.key]) return [];
    return [
      {
        reason: 'SecretKeyNotFound',
        message: `${field}: Secret "${ref.name}" has nothing under the key "${ref.key}"`,
      },
    ];
  });
}

/** Names the state of all Secrets that the pods mount, without telling anything of what is in them. */
export function secretVersions(
  spec: VoiceAgentSpec,
  find: (name: string) => Secret | undefined,
): string[] {
  return [...keysBySecret(spec).keys()].map(
    (name) => `${find(name)?.metadata?.uid}/${find(name)?.metadata?.resourceVersion}`,
  );
}
