import { z } from 'zod';
import { condition } from './conditions.ts';
import { celRules } from './schema-parts.ts';
import { voiceAgentSpec } from './voice-agent-spec.ts';

export const group = 'parley.dev';
export const version = 'v1alpha1';
export const apiVersion = `${group}/${version}`;

/** Kind and names of the VoiceAgent resource. */
export const voiceAgentNames = {
  kind: 'VoiceAgent',
  listKind: 'VoiceAgentList',
  plural: 'voiceagents',
  singular: 'voiceagent',
  shortNames: ['va'],
  categories: ['voice'],
} as const;

const count = z.number().int().min(0).max(2_147_483_647);

const voiceAgentStatus = z.strictObject({
  observedGeneration: count.optional(),
  replicas: count.optional().describe('Pods that are to take calls.'),
  readyReplicas: count.optional().describe('Pods that take calls.'),
  drainingReplicas: count.optional().describe('Pods that finish their calls and then go.'),
  selector: z.string().optional().describe('Label selector of the pods, for /scale.'),
  conditions: z
    .array(condition)
    .max(16)
    .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['type'] })
    .optional(),
});

export type VoiceAgentStatus = z.infer<typeof voiceAgentStatus>;

/** Pods are called after their agent, and host names have 63 characters. */
const nameRule = {
  rule: "self.metadata.name.size() <= 40 && !self.metadata.name.contains('.')",
  message: 'metadata.name must have at most 40 characters and no dots',
};

/** A VoiceAgent as users write it; everything else in `metadata` is Kubernetes' business. */
export const voiceAgent = z
  .strictObject({
    apiVersion: z.literal(apiVersion),
    kind: z.literal(voiceAgentNames.kind),
    metadata: z.looseObject({
      name: z
        .string()
        .max(40)
        .regex(/^[^.]*$/, nameRule.message),
    }),
    spec: voiceAgentSpec,
    status: voiceAgentStatus.optional(),
  })
  .meta(celRules(nameRule));

/** The schema of what a CRD describes: without what every object has. */
export const voiceAgentContent = z
  .strictObject({ spec: voiceAgentSpec, status: voiceAgentStatus.optional() })
  .meta({
    description: 'A conversational AI that answers the telephone.',
    ...celRules(nameRule),
  });
