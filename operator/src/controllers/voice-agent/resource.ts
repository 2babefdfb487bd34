import { group, type VoiceAgentStatus, version, voiceAgentNames } from '../../api/voice-agent.ts';
import { resourceKind } from '../../kube/kinds.ts';
import type { KubeObject } from '../../kube/object.ts';

/** A VoiceAgent as the API server has it; its spec is checked before it is used. */
export interface VoiceAgentObject extends KubeObject {
  readonly spec?: unknown;
  readonly status?: VoiceAgentStatus;
}

export const voiceAgents = resourceKind<VoiceAgentObject>({
  group,
  version,
  kind: voiceAgentNames.kind,
  plural: voiceAgentNames.plural,
  namespaced: true,
});

/** Owner of the fields that the operator writes. */
export const fieldManager = 'parley-operator';
