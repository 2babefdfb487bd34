import { z } from 'zod';

/** One aspect of a resource's state (metav1.Condition). */
export const condition = z.strictObject({
  type: z.string().max(316),
  status: z.enum(['True', 'False', 'Unknown']),
  observedGeneration: z.number().int().min(0).optional(),
  lastTransitionTime: z.string().meta({ format: 'date-time' }),
  reason: z
    .string()
    .min(1)
    .max(1024)
    .regex(/^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$/),
  message: z.string().max(32_768),
});

export type Condition = z.infer<typeof condition>;

/** The chain of a VoiceAgent: what comes later needs what comes before. */
const chain = ['Accepted', 'ResolvedRefs', 'Scheduled', 'PodsReady', 'ProviderReady'] as const;

export type ChainType = (typeof chain)[number];

/** What was found about one condition. */
export interface Finding {
  readonly status: Condition['status'];
  /** PascalCase. */
  readonly reason: string;
  readonly message: string;
}

export interface ConditionContext {
  readonly generation: number;
  /** RFC 3339. */
  readonly now: string;
  readonly previous: readonly Condition[];
}

/**
 * The conditions of the chain in order, then `Ready`, which repeats reason and message of the first
 * that is not True. `lastTransitionTime` moves only when a status does.
 */
export function conditionsOf(
  findings: Readonly<Record<ChainType, Finding>>,
  context: ConditionContext,
): Condition[] {
  const first = chain.map((type) => findings[type]).find(({ status }) => status !== 'True');
  const ready = first ?? { status: 'True', reason: 'Ready', message: 'calls are answered' };
  return [
    ...chain.map((type) => toCondition(type, findings[type], context)),
    toCondition('Ready', ready, context),
  ];
}

const maxMessage = 1000;

function toCondition(type: string, finding: Finding, context: ConditionContext): Condition {
  const before = context.previous.find((one) => one.type === type);
  const since = before?.status === finding.status ? before.lastTransitionTime : context.now;
  const { status, reason, message } = finding;
  return {
    type,
    status,
    observedGeneration: context.generation,
    lastTransitionTime: since,
    reason,
    message: message.length <= maxMessage ? message : `${message.slice(0, maxMessage - 1)}…`,
  };
}
