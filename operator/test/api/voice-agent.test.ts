import { resolve } from 'node:path';
import * as fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { structuralSchema } from '../../src/api/structural-schema.ts';
import { apiVersion, voiceAgent } from '../../src/api/voice-agent.ts';
import { voiceAgentSpec } from '../../src/api/voice-agent-spec.ts';
import { startApiServer, type TestApiServer } from '../support/api-server.ts';
import { valuesOf } from './arbitrary.ts';

let server: TestApiServer;
let namespace: string;

beforeAll(async () => {
  const crd = resolve(import.meta.dirname, '../../../crds/voiceagents.parley.dev.yaml');
  server = await startApiServer({ crds: [crd] });
  namespace = await server.createNamespace();
});

afterAll(() => server.stop());

interface Verdict {
  readonly isAccepted: boolean;
  readonly message: string;
}

async function judge(object: object): Promise<Verdict> {
  const path = `/apis/${apiVersion}/namespaces/${namespace}/voiceagents?dryRun=All&fieldValidation=Strict`;
  const { status, body } = await server.fetch('POST', path, object);
  if (status !== 201 && status !== 422 && status !== 400)
    throw new Error(`${status} ${JSON.stringify(body)}`);
  return { isAccepted: status === 201, message: (body as { message?: string }).message ?? '' };
}

const valid = {
  apiVersion,
  kind: 'VoiceAgent',
  metadata: { name: 'pizza' },
  spec: {
    direct: { sourceRanges: ['198.51.100.0/24'] },
    providers: [{ openai: { apiKeySecretRef: { name: 'openai', key: 'key' } } }],
  },
};

const withSpec = (spec: object) => ({ ...valid, spec: { ...valid.spec, ...spec } });

test('zod and the API server give the same verdict', { timeout: 300_000 }, async () => {
  const spec = structuralSchema(voiceAgentSpec);
  const verdicts = { accepted: 0, refused: 0 };
  const resources = fc.record({
    apiVersion: fc.constant(apiVersion),
    kind: fc.constant('VoiceAgent'),
    metadata: fc.record({
      name: fc.oneof(
        { weight: 20, arbitrary: fc.stringMatching(/^[a-z]([a-z0-9-]{0,20}[a-z0-9])?$/) },
        { weight: 1, arbitrary: fc.constantFrom('a.b', 'x'.repeat(40), 'x'.repeat(41)) },
      ),
    }),
    spec: fc.oneof(...[0, 2, 5].map((mistakes) => valuesOf(spec, mistakes))),
  });
  await fc.assert(
    fc.asyncProperty(resources, async (resource) => {
      const own = voiceAgent.safeParse(resource);
      const theirs = await judge(resource);
      verdicts[own.success ? 'accepted' : 'refused'] += 1;
      const problem = own.success ? theirs.message : JSON.stringify(own.error.issues);
      expect({ isAccepted: own.success, problem }).toEqual({
        isAccepted: theirs.isAccepted,
        problem,
      });
    }),
    { seed: 20_260_101, numRuns: 500 },
  );
  // Neither verdict is rare, or the test would say nothing.
  expect(Math.min(verdicts.accepted, verdicts.refused)).toBeGreaterThan(100);
});

test.each([
  {
    name: 'an address instead of a range',
    spec: { direct: { sourceRanges: ['198.51.100.7'] } },
    message:
      'spec.direct.sourceRanges[0]: Invalid value: "198.51.100.7": expected an address range, as 198.51.100.0/24',
  },
  {
    name: 'no provider',
    spec: { providers: [] },
    message:
      'spec.providers: Invalid value: 0: spec.providers in body should have at least 1 items',
  },
  {
    name: 'two providers in one entry',
    spec: {
      providers: [
        {
          openai: { apiKeySecretRef: { name: 'a', key: 'b' } },
          local: { intents: [{ name: 'a', phrases: ['b'] }] },
        },
      ],
    },
    message: 'spec.providers[0]: Invalid value: needs exactly one of openai, local',
  },
  {
    name: 'a key in the open',
    spec: { providers: [{ openai: { apiKey: 'sk' } }] },
    message: 'strict decoding error: unknown field "spec.providers[0].openai.apiKey"',
  },
  {
    name: 'no Secret for the key',
    spec: { providers: [{ openai: {} }] },
    message: 'spec.providers[0].openai.apiKeySecretRef: Required value',
  },
  {
    name: 'negative replicas',
    spec: { replicas: -1 },
    message:
      'spec.replicas: Invalid value: -1: spec.replicas in body should be greater than or equal to 0',
  },
  {
    name: 'too many calls for a pod',
    spec: { maxCallsPerPod: 101 },
    message:
      'spec.maxCallsPerPod: Invalid value: 101: spec.maxCallsPerPod in body should be less than or equal to 100',
  },
  {
    name: 'a codec nobody has',
    spec: { codecs: ['G729'] },
    message:
      'spec.codecs[0]: Unsupported value: "G729": supported values: "OPUS", "G722", "PCMU", "PCMA"',
  },
  {
    name: 'one tool name twice',
    spec: {
      tools: [
        { name: 'end', hangUp: {} },
        { name: 'end', hangUp: {} },
      ],
    },
    message: 'spec.tools[1]: Duplicate value: {"name":"end"}',
  },
  {
    name: 'a tool that does nothing',
    spec: { tools: [{ name: 'end' }] },
    message:
      'spec.tools[0]: Invalid value: needs exactly one of hangUp, sendDigits, transfer, http',
  },
  {
    name: 'a setting of another turn detection',
    spec: {
      providers: [
        {
          openai: {
            apiKeySecretRef: { name: 'a', key: 'b' },
            turnDetection: { type: 'semantic_vad', threshold: 0.5 },
          },
        },
      ],
    },
    message:
      'spec.providers[0].openai.turnDetection: Invalid value: threshold means nothing where type is semantic_vad',
  },
  {
    name: 'annotations that are ours',
    spec: { pod: { annotations: { 'parley.dev/x': '1' } } },
    message: 'spec.pod.annotations: Invalid value: parley.dev/ is reserved',
  },
  {
    name: 'pods without the network of the node',
    spec: { hostNetwork: false },
    message: 'spec.hostNetwork: Unsupported value: false: supported values: "true"',
  },
  {
    name: 'a misspelt field',
    spec: { greating: 'hello' },
    message: 'strict decoding error: unknown field "spec.greating"',
  },
])('$name is refused with a readable message', async ({ spec, message }) => {
  const verdict = await judge(withSpec(spec));
  expect(verdict.message).toContain(message);
  expect(verdict.isAccepted).toBe(false);
});

test('a name that makes no host name is refused', async () => {
  const { message } = await judge({ ...valid, metadata: { name: 'a.b' } });
  expect(message).toContain('metadata.name must have at most 40 characters and no dots');
});

test('defaults are those of zod', async () => {
  const path = `/apis/${apiVersion}/namespaces/${namespace}/voiceagents?dryRun=All`;
  const { body } = await server.fetch(
    'POST',
    path,
    withSpec({ tools: [{ name: 'look', http: { url: 'https://example.com/' } }] }),
  );
  const { spec } = body as { spec: unknown };
  expect(spec).toEqual(voiceAgentSpec.parse(spec));
  expect(spec).toEqual(
    voiceAgentSpec.parse(
      withSpec({ tools: [{ name: 'look', http: { url: 'https://example.com/' } }] }).spec,
    ),
  );
});
