import { isDeepStrictEqual } from 'node:util';
import { conditionsOf } from '../../api/conditions.ts';
import type { VoiceAgentStatus } from '../../api/voice-agent.ts';
import { selectorOf } from '../../pods/names.ts';
import { findingsOf, type Situation, servingOf } from './findings.ts';

export interface StatusContext {
  readonly name: string;
  readonly generation: number;
  readonly previous: VoiceAgentStatus | undefined;
}

/** The status to write; undefined where it is what is there. */
export function statusOf(
  situation: Situation,
  { name, generation, previous }: StatusContext,
): VoiceAgentStatus | undefined {
  const serving = servingOf(situation);
  const status: VoiceAgentStatus = {
    observedGeneration: generation,
    replicas: serving.length,
    readyReplicas: serving.filter(({ view }) => view.state === 'ready').length,
    drainingReplicas: situation.pods.filter(
      ({ view }) => view.drainBegan !== undefined || view.state === 'terminating',
    ).length,
    selector: selectorOf(name),
    conditions: conditionsOf(findingsOf(situation), {
      generation,
      now: timeOf(situation.world.now),
      previous: previous?.conditions ?? [],
    }),
  };
  return isDeepStrictEqual(status, previous) ? undefined : status;
}

/** metav1.Time: no fraction of a second. */
function timeOf(now: number): string {
  return new Date(now).toISOString().replace(/\.\d+Z$/, 'Z');
}
