import { z } from 'zod';
import { boundedMap, celRules, quantity } from './schema-parts.ts';

/** What users may say about their pods; the rest is Parley's. */

const toleration = z.strictObject({
  key: z.string().optional(),
  operator: z.enum(['Exists', 'Equal']).optional(),
  value: z.string().optional(),
  effect: z.enum(['NoSchedule', 'PreferNoSchedule', 'NoExecute']).optional(),
  tolerationSeconds: z.number().int().min(0).max(2_147_483_647).optional(),
});

/** The pods counted are always those of the same agent. */
const spread = z.strictObject({
  maxSkew: z.number().int().min(1).max(1000).default(1),
  topologyKey: z.string().min(1),
  whenUnsatisfiable: z.enum(['DoNotSchedule', 'ScheduleAnyway']).default('ScheduleAnyway'),
});

/** Judged by the API server when a pod is made of it; a refusal shows in `Scheduled`. */
const anyObject = z.record(z.string(), z.unknown());

const annotations = boundedMap(z.record(z.string(), z.string()), 50)
  .refine(
    (entries) => !Object.keys(entries).some((key) => key.startsWith('parley.dev/')),
    'parley.dev/ is reserved',
  )
  .meta(
    celRules({
      rule: "self.all(key, !key.startsWith('parley.dev/'))",
      message: 'parley.dev/ is reserved',
    }),
  );

export const podOptions = z.strictObject({
  resources: z
    .strictObject({
      requests: z.record(z.string(), quantity).optional(),
      limits: z.record(z.string(), quantity).optional(),
    })
    .optional()
    .describe('CPU and memory of a pod, as in a container.'),
  nodeSelector: z.record(z.string(), z.string()).optional(),
  tolerations: z.array(toleration).max(50).optional(),
  affinity: z
    .strictObject({
      nodeAffinity: anyObject.optional(),
      podAffinity: anyObject.optional(),
      podAntiAffinity: anyObject.optional(),
    })
    .optional(),
  priorityClassName: z.string().max(253).optional(),
  topologySpreadConstraints: z.array(spread).max(10).optional(),
  annotations: annotations.optional().describe('Added to the pods; parley.dev/ is reserved.'),
});

export type PodOptions = z.infer<typeof podOptions>;
