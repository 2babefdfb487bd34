/** Labels and annotations of what belongs to a VoiceAgent. */
export const agentLabel = 'parley.dev/voice-agent';
export const revisionLabel = 'parley.dev/revision';
export const slotLabel = 'parley.dev/slot';

/** `Serving` or `Draining`: what the operator wants of the pod. */
export const desiredStateAnnotation = 'parley.dev/desired-state';
/** RFC 3339; when the drain began, from which its time limit counts. */
export const drainBeganAnnotation = 'parley.dev/drain-began';
export const drainReasonAnnotation = 'parley.dev/drain-reason';
/**
 * Which content of ConfigMap and Secrets the pod is to have. Nothing reads it: a changed annotation
 * makes kubelet sync the volumes at once, not within its minute.
 */
export const contentAnnotation = 'parley.dev/content';

export const drainFinalizer = 'parley.dev/drain';

/** The bearer token's key in the token Secret; the file of the same name in the pod. */
export const tokenKey = 'token';

export function configMapName(agent: string): string {
  return `${agent}-parley-config`;
}

export function tokenSecretName(agent: string): string {
  return `${agent}-parley-token`;
}

/** `pizza-3f9a1c2b-0`: the same number is the same pod, so that creating it twice makes one. */
export function podName(agent: string, revision: string, ordinal: number): string {
  return `${agent}-${revision}-${ordinal}`;
}

/** Selects the pods of an agent. */
export function selectorOf(agent: string): string {
  return `${agentLabel}=${agent}`;
}

export function labelsOf(agent: string): Record<string, string> {
  return {
    'app.kubernetes.io/name': 'voice-agent',
    'app.kubernetes.io/instance': agent,
    'app.kubernetes.io/component': 'agent',
    'app.kubernetes.io/part-of': 'parley',
    'app.kubernetes.io/managed-by': 'parley-operator',
    [agentLabel]: agent,
  };
}
