import { configFile, podEnvironment } from '@parley/connector/contract/pod';
import { apiVersion, voiceAgentNames } from '../api/voice-agent.ts';
import type { VoiceAgentSpec } from '../api/voice-agent-spec.ts';
import type { Pod, PodSpec } from '../kube/kinds.ts';
import type { OwnerReference } from '../kube/object.ts';
import { containerSecurity, podSecurity } from './hardening.ts';
import { hashOf } from './hash.ts';
import {
  contentAnnotation,
  desiredStateAnnotation,
  labelsOf,
  podName,
  revisionLabel,
  slotLabel,
} from './names.ts';
import { placementOf } from './placement.ts';
import { portsOf } from './slot.ts';
import { volumesOf } from './volumes.ts';

/** What a pod is built from: the same blueprint is the same pod. */
export interface Blueprint {
  readonly name: string;
  readonly namespace: string;
  readonly uid: string;
  readonly spec: VoiceAgentSpec;
  /** Of the connector. */
  readonly image: string;
  readonly imagePullPolicy: 'Always' | 'IfNotPresent' | 'Never';
  readonly imagePullSecrets: readonly string[];
}

/** What differs between the pods of a blueprint. */
export interface PodPlace {
  readonly slot: number;
  readonly ordinal: number;
  /** Which ConfigMap and Secrets it starts with. */
  readonly content: string;
}

/** After the drain's own limit: time to hang up and to end. */
const graceMargin = 30;

const containerName = 'connector';

/** Changes when pods must be replaced, and only then. */
export function podRevision(blueprint: Blueprint): string {
  return hashOf({ spec: podSpec(blueprint, 0), annotations: annotationsOf(blueprint.spec) });
}

export function buildPod(blueprint: Blueprint, { slot, ordinal, content }: PodPlace): Pod {
  const { name, namespace, spec } = blueprint;
  const revision = podRevision(blueprint);
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: podName(name, revision, ordinal),
      namespace,
      labels: { ...labelsOf(name), [revisionLabel]: revision, [slotLabel]: String(slot) },
      annotations: {
        ...annotationsOf(spec),
        [desiredStateAnnotation]: 'Serving',
        [contentAnnotation]: content,
      },
      ownerReferences: [ownerOf(blueprint)],
    },
    spec: podSpec(blueprint, slot),
  };
}

export function ownerOf({ name, uid }: Pick<Blueprint, 'name' | 'uid'>): OwnerReference {
  const { kind } = voiceAgentNames;
  return { apiVersion, kind, name, uid, controller: true, blockOwnerDeletion: true };
}

/** Node autoscalers leave nodes with calls alone. */
function annotationsOf(spec: VoiceAgentSpec): Record<string, string> {
  return {
    'cluster-autoscaler.kubernetes.io/safe-to-evict': 'false',
    'karpenter.sh/do-not-disrupt': 'true',
    ...spec.pod?.annotations,
  };
}

function podSpec(blueprint: Blueprint, slot: number): PodSpec {
  const { name, spec, imagePullSecrets } = blueprint;
  const { volumes, mounts } = volumesOf(name, spec);
  return {
    hostNetwork: true,
    dnsPolicy: 'ClusterFirstWithHostNet',
    restartPolicy: 'Always',
    enableServiceLinks: false,
    automountServiceAccountToken: false,
    terminationGracePeriodSeconds: spec.drain.timeoutSeconds + graceMargin,
    securityContext: podSecurity,
    ...placementOf(name, spec.pod),
    ...(imagePullSecrets.length === 0
      ? {}
      : { imagePullSecrets: imagePullSecrets.map((secret) => ({ name: secret })) }),
    containers: [{ ...containerOf(blueprint, slot), volumeMounts: mounts }],
    volumes,
  };
}

function containerOf(blueprint: Blueprint, slot: number): PodSpec['containers'][number] {
  const { image, imagePullPolicy, spec } = blueprint;
  const ports = portsOf(slot);
  return {
    name: containerName,
    image,
    imagePullPolicy,
    args: ['run', configFile],
    env: environmentOf(slot),
    ports: [
      { name: 'sip-udp', protocol: 'UDP', ...both(ports.sip) },
      { name: 'sip-tcp', protocol: 'TCP', ...both(ports.sip) },
      { name: 'http', protocol: 'TCP', ...both(ports.http) },
    ],
    resources: spec.pod?.resources ? textOf(spec.pod.resources) : defaultResources,
    securityContext: containerSecurity,
    ...probesOf(ports.http),
  };
}

function both(port: number) {
  return { containerPort: port, hostPort: port };
}

const defaultResources = { requests: { cpu: '100m', memory: '512Mi' } };

type Resources = NonNullable<NonNullable<VoiceAgentSpec['pod']>['resources']>;

/** Quantities may be written as numbers; the API gives them back as text. */
function textOf(resources: Resources): Record<string, Record<string, string>> {
  return Object.fromEntries(
    Object.entries(resources).map(([kind, amounts]) => [
      kind,
      Object.fromEntries(Object.entries(amounts ?? {}).map(([key, value]) => [key, String(value)])),
    ]),
  );
}

function environmentOf(slot: number): NonNullable<PodSpec['containers'][number]['env']> {
  const { sip, http, firstRtp, lastRtp } = portsOf(slot);
  return [
    { name: 'HOST_IP', valueFrom: { fieldRef: { fieldPath: 'status.hostIP' } } },
    {
      name: podEnvironment.sipListen,
      value: `udp://$(HOST_IP):${sip},tcp://$(HOST_IP):${sip}`,
    },
    { name: podEnvironment.httpListen, value: `$(HOST_IP):${http}` },
    { name: podEnvironment.rtpPorts, value: `${firstRtp}-${lastRtp}` },
    { name: podEnvironment.rtpAddress, value: '$(HOST_IP)' },
    { name: podEnvironment.rtpCheckPorts, value: 'true' },
  ];
}

/**
 * kubelet asks at the pod's address, which is the node's. Starting may take two minutes (models);
 * a pod that hangs is restarted after half a minute.
 */
function probesOf(port: number) {
  const alive = { path: '/healthz', port };
  return {
    startupProbe: { httpGet: alive, periodSeconds: 1, timeoutSeconds: 2, failureThreshold: 120 },
    livenessProbe: { httpGet: alive, periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 3 },
    readinessProbe: {
      httpGet: { path: '/readyz', port },
      periodSeconds: 2,
      timeoutSeconds: 2,
      failureThreshold: 2,
    },
  };
}
