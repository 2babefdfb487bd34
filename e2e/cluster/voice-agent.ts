import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import type { PodStatus } from '@parley/connector/contract/pod';
import type { Kubectl, KubeObject } from './kubectl.ts';

export interface Condition {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason: string;
  readonly message: string;
}

export interface VoiceAgent extends KubeObject {
  readonly spec: Readonly<Record<string, unknown>>;
  readonly status?: {
    readonly replicas?: number;
    readonly readyReplicas?: number;
    readonly drainingReplicas?: number;
    readonly observedGeneration?: number;
    readonly conditions?: readonly Condition[];
  };
}

export interface Pod extends KubeObject {
  readonly spec: {
    readonly nodeName?: string;
    readonly containers: readonly {
      readonly ports?: readonly { readonly name: string; readonly containerPort: number }[];
    }[];
  };
  readonly status: {
    readonly hostIP?: string;
    readonly phase?: string;
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
    readonly containerStatuses?: readonly { readonly restartCount: number }[];
  };
}

export function conditionOf(agent: VoiceAgent, type: string): Condition | undefined {
  return agent.status?.conditions?.find((one) => one.type === type);
}

export function isReady({ metadata, status }: Pod): boolean {
  const ready = status.conditions?.find(({ type }) => type === 'Ready');
  return ready?.status === 'True' && metadata.deletionTimestamp === undefined;
}

export function podsOf(kubectl: Kubectl, agent: string): Promise<Pod[]> {
  return kubectl.list<Pod>('pods', `parley.dev/voice-agent=${agent}`);
}

/** The agent when it says Ready about the newest spec. */
export function untilAgentReady(
  kubectl: Kubectl,
  name: string,
  limit = 90_000,
): Promise<VoiceAgent> {
  return kubectl.until<VoiceAgent>(
    ['voiceagent', name],
    (agent) =>
      conditionOf(agent, 'Ready')?.status === 'True' &&
      agent.status?.observedGeneration === (agent.metadata as { generation?: number }).generation,
    limit,
  );
}

/** `10.77.0.11:20000`, where the pod answers SIP, or HTTP. */
export function addressOf({ status, spec }: Pod, port: 'sip-udp' | 'http'): string {
  const ports = spec.containers.flatMap((container) => container.ports ?? []);
  const found = ports.find(({ name }) => name === port);
  if (!found || status.hostIP === undefined) throw new Error(`the pod has no ${port} yet`);
  return `${status.hostIP}:${found.containerPort}`;
}

/** The address that this machine shows to `host`. */
export async function addressToward(host: string): Promise<string> {
  const socket = createSocket('udp4');
  socket.connect(9, host);
  await once(socket, 'connect');
  const { address } = socket.address();
  socket.close();
  return address;
}

/** What an agent's pods tell those who know the agent's token. */
export class PodApi {
  readonly #token: string;

  static async of(kubectl: Kubectl, agent: string): Promise<PodApi> {
    const secret = await kubectl.get<KubeObject & { data: { token: string } }>(
      'secret',
      `${agent}-parley-token`,
    );
    return new PodApi(Buffer.from(secret.data.token, 'base64').toString());
  }

  private constructor(token: string) {
    this.#token = token;
  }

  async get<T>(pod: Pod, path: string): Promise<T> {
    const response = await fetch(`http://${addressOf(pod, 'http')}${path}`, {
      headers: { authorization: `Bearer ${this.#token}` },
      signal: AbortSignal.timeout(3000),
    });
    if (!response.ok) throw new Error(`${path} answered ${response.status}`);
    return (await response.json()) as T;
  }

  status(pod: Pod): Promise<PodStatus> {
    return this.get<PodStatus>(pod, '/v1/status');
  }
}
