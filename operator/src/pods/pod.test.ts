import { expect, test } from 'vitest';
import { blueprintOf } from './agent.case.ts';
import { buildPod, podRevision } from './pod.ts';

const place = { slot: 2, ordinal: 4, content: 'c1' };

function built(overrides: object = {}) {
  const pod = buildPod(blueprintOf(overrides), place);
  const [container] = pod.spec?.containers ?? [];
  if (!container) throw new Error('a pod without a container');
  return { pod, container };
}

test('its name says whose it is, of which revision, and which', () => {
  const revision = podRevision(blueprintOf());
  const { metadata } = built().pod;
  expect(metadata?.name).toBe(`pizza-${revision}-4`);
  expect(metadata?.labels).toMatchObject({
    'app.kubernetes.io/managed-by': 'parley-operator',
    'parley.dev/voice-agent': 'pizza',
    'parley.dev/revision': revision,
    'parley.dev/slot': '2',
  });
  expect(metadata?.ownerReferences).toEqual([
    {
      apiVersion: 'parley.dev/v1alpha1',
      kind: 'VoiceAgent',
      name: 'pizza',
      uid: 'u1',
      controller: true,
      blockOwnerDeletion: true,
    },
  ]);
});

test('the ports that lock its slot are declared, UDP and TCP', () => {
  expect(built().container.ports).toEqual([
    { name: 'sip-udp', protocol: 'UDP', containerPort: 20_512, hostPort: 20_512 },
    { name: 'sip-tcp', protocol: 'TCP', containerPort: 20_512, hostPort: 20_512 },
    { name: 'http', protocol: 'TCP', containerPort: 20_513, hostPort: 20_513 },
  ]);
});

test('node and slot reach the connector by its environment', () => {
  const env = Object.fromEntries(
    (built().container.env ?? []).map(({ name, value }) => [name, value]),
  );
  expect(env).toEqual({
    HOST_IP: undefined,
    PARLEY_SIP_LISTEN: 'udp://$(HOST_IP):20512,tcp://$(HOST_IP):20512',
    PARLEY_HTTP_LISTEN: '$(HOST_IP):20513',
    PARLEY_RTP_PORTS: '20528-20767',
    PARLEY_RTP_ADDRESS: '$(HOST_IP)',
    PARLEY_RTP_CHECK_PORTS: 'true',
  });
});

test('it may do nothing that it need not', () => {
  const { pod, container } = built();
  expect(pod.spec).toMatchObject({
    hostNetwork: true,
    dnsPolicy: 'ClusterFirstWithHostNet',
    automountServiceAccountToken: false,
    securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
  });
  expect(container.securityContext).toEqual({
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    capabilities: { drop: ['ALL'] },
  });
});

test('it may take as long to end as a drain, and half a minute more', () => {
  expect(built({ drain: { timeoutSeconds: 600 } }).pod.spec?.terminationGracePeriodSeconds).toBe(
    630,
  );
});

test('each Secret is mounted with the keys that are asked for, in one volume', () => {
  const { pod, container } = built({
    providers: [
      { openai: { apiKeySecretRef: { name: 'b', key: 'k' } } },
      { openai: { apiKeySecretRef: { name: 'b', key: 'j' } } },
    ],
    tools: [
      {
        name: 't',
        http: { url: 'https://a.example/', headersSecretRef: { name: 'a.b', key: 'h' } },
      },
    ],
  });
  const volume = pod.spec?.volumes?.find(({ name }) => name === 'secrets');
  expect(volume?.projected?.sources).toEqual([
    { secret: { name: 'a.b', items: [{ key: 'h', path: 'a.b/h' }] } },
    {
      secret: {
        name: 'b',
        items: [
          { key: 'j', path: 'b/j' },
          { key: 'k', path: 'b/k' },
        ],
      },
    },
  ]);
  expect(container.volumeMounts).toContainEqual({
    name: 'secrets',
    mountPath: '/etc/parley/secrets',
    readOnly: true,
  });
});

const names = (list: readonly { name: string }[] = []) => list.map(({ name }) => name);

test('every volume is mounted, and every mount has its volume', () => {
  const { pod, container } = built();
  expect(names(container.volumeMounts)).toEqual(names(pod.spec?.volumes));
});

test('sizes may be numbers; the API has text', () => {
  const { container } = built({ pod: { resources: { requests: { cpu: 2, memory: '1Gi' } } } });
  expect(container.resources).toEqual({ requests: { cpu: '2', memory: '1Gi' } });
});

test.each([
  { name: 'other words', change: { greeting: 'Hello.', instructions: 'Be kind.' }, isSame: true },
  { name: 'more calls for a pod', change: { maxCallsPerPod: 99 }, isSame: true },
  { name: 'more pods', change: { replicas: 9 }, isSame: true },
  { name: 'other callers', change: { direct: { sourceRanges: ['0.0.0.0/0'] } }, isSame: true },
  { name: 'another place', change: { pod: { nodeSelector: { a: 'b' } } }, isSame: false },
  { name: 'another annotation', change: { pod: { annotations: { a: 'b' } } }, isSame: false },
  { name: 'a longer drain', change: { drain: { timeoutSeconds: 1 } }, isSame: false },
  {
    name: 'another Secret',
    change: { providers: [{ openai: { apiKeySecretRef: { name: 'x', key: 'key' } } }] },
    isSame: false,
  },
])('$name: the same pods will do: $isSame', ({ change, isSame }) => {
  expect(podRevision(blueprintOf(change)) === podRevision(blueprintOf())).toBe(isSame);
});

test('another image is another revision', () => {
  const other = { ...blueprintOf(), image: 'connector:2' };
  expect(podRevision(other)).not.toBe(podRevision(blueprintOf()));
});
