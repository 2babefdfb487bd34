import { agentSchema } from '@parley/connector/contract/agent';
import { z } from 'zod';
import { podOptions } from './pod-options.ts';
import { cidr, keyedMap, namedList, secretKeyRef, textSet, url } from './schema-parts.ts';

/** A VoiceAgent's spec: the agent of `contract/agent.ts` with Secrets instead of files, and its pods. */

const agent = agentSchema.shape;
const [openaiChoice, localChoice] = agent.providers.element.options;
const [hangUpTool, sendDigitsTool, transferTool, httpTool] = agent.tools.unwrap().element.options;

const openai = openaiChoice.shape.openai.omit({ apiKeyFile: true, apiKeyEnv: true }).extend({
  apiKeySecretRef: secretKeyRef.describe('The API key.'),
  url: url('wss?').default('wss://api.openai.com/v1'),
});

const localShape = localChoice.shape.local.shape;
const local = localChoice.shape.local.extend({
  slots: keyedMap(/^[a-z][a-z0-9_]*$/, {
    value: z.array(z.string().min(1)).min(1),
    max: 100,
  }).default({}),
  intents: namedList(z.array(localShape.intents.element).min(1).max(200)),
  digits: keyedMap(/^[0-9*#]$/, { value: z.string(), max: 12 }).default({}),
});

const provider = z.union([z.strictObject({ openai }), z.strictObject({ local })]);

const transferShape = transferTool.shape.transfer.shape;
const tool = z.union([
  hangUpTool,
  sendDigitsTool,
  transferTool.extend({
    transfer: transferTool.shape.transfer.extend({
      destinations: namedList(z.array(transferShape.destinations.element).min(1).max(100)),
    }),
  }),
  httpTool.extend({
    http: httpTool.shape.http.omit({ headersFile: true }).extend({
      url: url('https?'),
      headersSecretRef: secretKeyRef
        .optional()
        .describe('A JSON object of secret headers: {"Authorization": "Bearer …"}.'),
    }),
  }),
]);

export const voiceAgentSpec = z.strictObject({
  direct: z
    .strictObject({
      sourceRanges: textSet(z.array(cidr).min(1).max(100)).describe(
        'Addresses that may call; anything else gets no answer.',
      ),
    })
    .describe('No gateway: the pods answer SIP on the port of their slot.'),
  greeting: agent.greeting.describe('Said when a call is answered.'),
  instructions: agent.instructions.describe('What the model is told to be and do.'),
  providers: z
    .array(provider)
    .min(1)
    .max(10)
    .describe('The first is used, the rest are fallbacks in order.'),
  tools: namedList(z.array(tool).max(100))
    .default([])
    .describe('What the model can do besides talking.'),
  codecs: textSet(agent.codecs.unwrap())
    .default(['PCMU', 'PCMA'])
    .describe('Codecs accepted, best first.'),
  apology: agent.apology.describe('Said before a call ends because no provider works.'),
  noInput: agent.noInput.describe('What happens when the caller says nothing.'),
  maxDurationSeconds: agent.maxDurationSeconds.describe('Limit of one call.'),
  maxCallsPerPod: z.number().int().min(1).max(100).default(50),
  replicas: z.number().int().min(0).max(500).default(1).describe('Pods that take calls.'),
  drain: z
    .strictObject({
      timeoutSeconds: z
        .number()
        .int()
        .min(0)
        .max(86_400)
        .default(3600)
        .describe('How long a pod that is to go may finish its calls.'),
    })
    .prefault({}),
  hostNetwork: z
    .literal(true)
    .default(true)
    .describe('Pods use the network of their node: media has no NAT on its way.'),
  pod: podOptions.optional().describe('Placement and size of the pods.'),
});

export type VoiceAgentSpec = z.infer<typeof voiceAgentSpec>;
export type SpecProvider = VoiceAgentSpec['providers'][number];
export type SpecTool = VoiceAgentSpec['tools'][number];
