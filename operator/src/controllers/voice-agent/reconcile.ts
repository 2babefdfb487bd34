import type { Clock } from '@parley/connector/base/clock';
import type { Log } from '@parley/connector/base/log';
import type { Condition } from '../../api/conditions.ts';
import { apiVersion, type VoiceAgentStatus, voiceAgentNames } from '../../api/voice-agent.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { EventRecorder } from '../../kube/event-recorder.ts';
import type { Secret } from '../../kube/kinds.ts';
import { isNews } from '../../kube/object.ts';
import { configMapName, drainFinalizer, tokenSecretName } from '../../pods/names.ts';
import type { Outcome } from '../../runtime/reconcile.ts';
import { act, PodRefused } from './act.ts';
import type { VoiceAgentCaches } from './caches.ts';
import { decide } from './decide.ts';
import type { Situation } from './findings.ts';
import { observe } from './observe.ts';
import { ensureConfigMap, ensureToken, NameTaken, tokenOf } from './owned-objects.ts';
import type { PodReports } from './pod-reports.ts';
import { type AgentReading, contentOf, type PodSettings, readAgent } from './read-agent.ts';
import { fieldManager, type VoiceAgentObject, voiceAgents } from './resource.ts';
import { statusOf } from './status.ts';
import type { Action } from './world.ts';
import type { WrittenPods } from './written-pods.ts';

export interface ReconcilerOptions {
  readonly client: KubeClient;
  readonly caches: VoiceAgentCaches;
  readonly reports: PodReports;
  readonly written: WrittenPods;
  readonly events: EventRecorder;
  readonly settings: PodSettings;
  /** A new bearer token. */
  readonly makeToken: () => string;
  readonly clock: Clock;
  readonly log: Log;
}

/** Makes the pods of one VoiceAgent be what it says: observe, decide, act, tell. */
export class VoiceAgentReconciler {
  readonly #options: ReconcilerOptions;
  /** Agents as last written, which the cache may not show yet. */
  readonly #written = new Map<string, VoiceAgentObject>();

  constructor(options: ReconcilerOptions) {
    this.#options = options;
  }

  async reconcile(key: string, signal: AbortSignal): Promise<Outcome> {
    const agent = this.#newest(key);
    if (!agent) return {};
    const isHeld = agent.metadata?.finalizers?.includes(drainFinalizer) ?? false;
    if (!isHeld && agent.metadata?.deletionTimestamp !== undefined) return {};
    const held = isHeld ? agent : await this.#setFinalizer(key, agent, true);
    return this.#reconcileHeld(key, held, signal);
  }

  async #reconcileHeld(
    key: string,
    agent: VoiceAgentObject,
    signal: AbortSignal,
  ): Promise<Outcome> {
    const { caches, clock, settings } = this.#options;
    const findSecret = (name: string) => caches.secrets.get(`${agent.metadata?.namespace}/${name}`);
    const { reading, token } = await this.#ensureOwned(readAgent(agent, { settings, findSecret }));
    const situation = await observe(this.#options, reading, {
      now: clock.wall(),
      token: tokenOf(token),
      content: contentOf(reading, token),
    });
    // Time is over, or another leads.
    if (signal.aborted) return {};
    const { actions, checkAfter } = this.#decide(reading, situation);
    const refusal = await this.#act(reading, situation, actions);
    if (actions.some(({ type }) => type === 'release')) {
      await this.#setFinalizer(key, agent, false);
      for (const { view } of situation.pods) this.#forget(view.uid);
      return {};
    }
    await this.#tell(key, agent, { ...situation, refusal: refusal?.message });
    if (refusal) throw refusal;
    return { requeueAfter: checkAfter };
  }

  /** A spec that makes no sense changes nothing. */
  #decide({ blueprint, deletedAt }: AgentReading, { world }: Situation) {
    if (blueprint === undefined && deletedAt === undefined)
      return { actions: [], checkAfter: 15_000 };
    return decide(world);
  }

  /** Token and configuration, before the pods that read them. */
  async #ensureOwned(
    reading: AgentReading,
  ): Promise<{ reading: AgentReading; token: Secret | undefined }> {
    const { client, caches, makeToken } = this.#options;
    const { name, namespace, deletedAt, config, references } = reading;
    const cached = caches.secrets.get(`${namespace}/${tokenSecretName(name)}`);
    if (deletedAt !== undefined) return { reading, token: cached };
    try {
      const token = await ensureToken(client, { owner: reading, cached }, makeToken);
      const known = caches.configMaps.get(`${namespace}/${configMapName(name)}`);
      if (config && references.length === 0)
        await ensureConfigMap(client, { owner: reading, cached: known }, config.text);
      return { reading, token };
    } catch (error) {
      if (!(error instanceof NameTaken)) throw error;
      const problem = { reason: 'NameTaken', message: error.message } as const;
      return {
        reading: { ...reading, config: undefined, problems: [...reading.problems, problem] },
        token: undefined,
      };
    }
  }

  async #act(
    { blueprint, about, namespace }: AgentReading,
    { pods, world }: Situation,
    actions: readonly Action[],
  ): Promise<PodRefused | undefined> {
    const byUid = new Map(pods.map(({ pod, view }) => [view.uid, pod]));
    try {
      await act(this.#options, actions, {
        about,
        namespace,
        blueprint,
        now: world.now,
        podOf: (uid) => byUid.get(uid),
      });
      return undefined;
    } catch (error) {
      if (error instanceof PodRefused) return error;
      throw error;
    }
  }

  async #tell(key: string, agent: VoiceAgentObject, situation: Situation): Promise<void> {
    const { client, events } = this.#options;
    const { name = '', namespace = '', uid = '', generation = 0 } = agent.metadata ?? {};
    const status = statusOf(situation, { name, generation, previous: agent.status });
    if (!status) return;
    const { kind } = voiceAgentNames;
    const object = { apiVersion, kind, metadata: { name, namespace, uid }, status };
    const options = { fieldManager, force: true, subresource: 'status' } as const;
    this.#written.set(key, await client.applyServerSide(voiceAgents, object, options));
    const ready = readyOf(status);
    if (!ready || ready.reason === readyOf(agent.status)?.reason) return;
    events.record(
      { apiVersion, kind, metadata: agent.metadata ?? {} },
      {
        type: ready.status === 'False' ? 'Warning' : 'Normal',
        reason: ready.reason,
        message: ready.message,
      },
    );
  }

  async #setFinalizer(
    key: string,
    agent: VoiceAgentObject,
    isHeld: boolean,
  ): Promise<VoiceAgentObject> {
    const {
      name = '',
      namespace = '',
      uid,
      resourceVersion,
      finalizers = [],
    } = agent.metadata ?? {};
    const others = finalizers.filter((one) => one !== drainFinalizer);
    const metadata = {
      uid,
      resourceVersion,
      finalizers: isHeld ? [...others, drainFinalizer] : others,
    };
    const changed = await this.#options.client.patch(
      voiceAgents,
      { namespace, name },
      { fieldManager, patch: { type: 'merge', body: { metadata } } },
    );
    this.#written.set(key, changed);
    return changed;
  }

  /** As cached, or as written a moment ago. */
  #newest(key: string): VoiceAgentObject | undefined {
    const cached = this.#options.caches.agents.get(key);
    const written = this.#written.get(key);
    const versions = [cached, written].map((agent) => agent?.metadata?.resourceVersion ?? '');
    const [cachedVersion = '', writtenVersion = ''] = versions;
    const isSame = cached?.metadata?.uid === written?.metadata?.uid;
    if (written && isSame && !isNews(cachedVersion, writtenVersion)) return written;
    this.#written.delete(key);
    return cached;
  }

  #forget(uid: string): void {
    this.#options.reports.forget(uid);
    this.#options.written.forget(uid);
  }
}

function readyOf(status: VoiceAgentStatus | undefined): Condition | undefined {
  return status?.conditions?.find(({ type }) => type === 'Ready');
}
