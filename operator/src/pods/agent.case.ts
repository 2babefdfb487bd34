import { type VoiceAgentSpec, voiceAgentSpec } from '../api/voice-agent-spec.ts';
import type { Blueprint } from './pod.ts';

/** Builders for tests. */

export function specOf(overrides: object = {}): VoiceAgentSpec {
  return voiceAgentSpec.parse({
    direct: { sourceRanges: ['198.51.100.0/24'] },
    providers: [{ openai: { apiKeySecretRef: { name: 'openai', key: 'key' } } }],
    ...overrides,
  });
}

export function blueprintOf(overrides: object = {}): Blueprint {
  return {
    name: 'pizza',
    namespace: 'shop',
    uid: 'u1',
    spec: specOf(overrides),
    image: 'connector:1',
    imagePullPolicy: 'IfNotPresent',
    imagePullSecrets: [],
  };
}
