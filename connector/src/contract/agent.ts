import { z } from 'zod';

/** The agent as users describe it: the same fields in a standalone file and in a VoiceAgent's spec. */

const seconds = (fallback: number, max: number) =>
  z.number().int().min(1).max(max).default(fallback);

const turnDetection = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('server_vad'),
    threshold: z.number().min(0).max(1).optional(),
    prefixPaddingMs: z.number().int().min(0).max(5000).optional(),
    silenceDurationMs: z.number().int().min(50).max(5000).optional(),
  }),
  z.strictObject({
    type: z.literal('semantic_vad'),
    eagerness: z.enum(['auto', 'low', 'medium', 'high']).optional(),
  }),
]);

const openai = z.strictObject({
  model: z.string().min(1).default('gpt-realtime'),
  voice: z.string().min(1).default('marin'),
  /** Where a key is mounted or set: a file (Kubernetes Secret) or an environment variable. */
  apiKeyFile: z.string().min(1).optional(),
  apiKeyEnv: z.string().min(1).default('OPENAI_API_KEY'),
  /** wss:// (or ws:// for a local server); /v1 as OpenAI's base URL has it. */
  url: z.url({ protocol: /^wss?$/ }).default('wss://api.openai.com/v1'),
  /** `beta` speaks the event names and session shape before GA, which some servers still want. */
  dialect: z.enum(['ga', 'beta']).default('ga'),
  turnDetection: turnDetection.default({ type: 'server_vad' }),
  transcriptionModel: z.string().min(1).default('gpt-4o-mini-transcribe'),
  /** Words and names that the caller may say, for the transcript. */
  transcriptionPrompt: z.string().max(2000).optional(),
  language: z.string().min(2).max(8).optional(),
  speed: z.number().min(0.25).max(1.5).optional(),
  /**
   * ms of the caller's audio in each event to the model. More spares CPU and lets the model hear the
   * caller later by as much, which its turn detection hides.
   */
  appendMs: z.number().int().min(20).max(200).multipleOf(20).default(20),
  /** Most tokens of one reply, tool calls included; no limit where absent. */
  maxOutputTokens: z.number().int().min(1).max(4096).optional(),
  /** `far_field` for hands-free sets; none where absent. */
  noiseReduction: z.enum(['near_field', 'far_field']).optional(),
  /** Only for the `beta` dialect: GA has no such setting. */
  temperature: z.number().min(0).max(2).optional(),
});

/** A thing the caller may want: phrases with {slots}, and what follows. */
const intent = z.strictObject({
  name: z.string().regex(/^[a-z][a-z0-9_]*$/),
  /** JSGF-like phrases: `I want [to order] {size} pizza`; words, [optional], (a | b), {slot}. */
  phrases: z.array(z.string().min(1)).min(1),
  /** Spoken in answer; {slot} is replaced by what was said, {result} by what the tool answered. */
  reply: z.string().optional(),
  /**
   * A tool to call with the slots and fixed `arguments`. The reply is spoken meanwhile, or if it needs
   * the {result}, after; a field `say` of the tool's JSON answer is spoken instead.
   */
  tool: z
    .strictObject({
      name: z.string().min(1),
      arguments: z.record(z.string(), z.string()).default({}),
    })
    .optional(),
  /** Intents that can follow; all when absent. */
  next: z.array(z.string()).optional(),
});

const local = z.strictObject({
  voice: z.enum(['slt', 'rms', 'awb', 'kal']).default('slt'),
  language: z.literal('en').default('en'),
  /** Slot name -> the words or phrases it can hold. */
  slots: z
    .record(z.string().regex(/^[a-z][a-z0-9_]*$/), z.array(z.string().min(1)).min(1))
    .default({}),
  intents: z.array(intent).min(1),
  /** Said when nothing of the grammar was recognised. */
  fallback: z.string().default('Sorry, I did not understand that. Could you say it again?'),
  /** A key pressed by the caller -> the intent it stands for. */
  digits: z.record(z.string().regex(/^[0-9*#]$/), z.string()).default({}),
  /** Silence that ends the caller's turn. */
  endSilenceMs: z.number().int().min(200).max(3000).default(600),
  /** Below this mean word posterior an utterance counts as not understood. */
  minConfidence: z.number().min(0).max(1).default(0.9),
  /** ARPAbet for words the recogniser does not know: `{acmecorp: "AE K M IY K AO R P"}`. */
  pronunciations: z.record(z.string(), z.string()).default({}),
});

const provider = z.union([z.strictObject({ openai }), z.strictObject({ local })]);

/** An address to send a caller to; a bare `sip:` leads nowhere. */
const target = z
  .string()
  .regex(
    /^(sips?:([^\s@]+@)?[a-zA-Z0-9[][^\s@]*|tel:[+0-9*#]\S*)$/,
    'expected a URI, as sip:kitchen@192.0.2.7 or tel:+15551234',
  );
const toolName = z.string().regex(/^[a-zA-Z_][a-zA-Z0-9_-]{0,63}$/);

const tool = z.union([
  z.strictObject({
    name: toolName,
    description: z.string().optional(),
    hangUp: z.strictObject({}),
  }),
  z.strictObject({
    name: toolName,
    description: z.string().optional(),
    sendDigits: z.strictObject({}),
  }),
  z.strictObject({
    name: toolName,
    description: z.string().optional(),
    transfer: z.strictObject({
      destinations: z
        .array(
          z.strictObject({
            name: z.string().min(1),
            to: target,
            description: z.string().optional(),
          }),
        )
        .min(1),
      referredBy: z
        .string()
        .regex(/^sips?:/)
        .optional(),
    }),
  }),
  z.strictObject({
    name: toolName,
    description: z.string().optional(),
    http: z.strictObject({
      url: z.url({ protocol: /^https?$/ }),
      method: z.enum(['GET', 'POST', 'PUT', 'PATCH', 'DELETE']).default('POST'),
      parametersSchema: z
        .record(z.string(), z.unknown())
        .default({ type: 'object', properties: {} }),
      headers: z.record(z.string(), z.string()).default({}),
      /** A JSON file of secret headers, `{"Authorization": "Bearer …"}`. */
      headersFile: z.string().optional(),
      timeoutSeconds: seconds(10, 120),
      idempotent: z.boolean().default(false),
      /** Loopback, private and link-local targets are refused unless this is set. */
      allowPrivateAddresses: z.boolean().default(false),
    }),
  }),
]);

export const agentSchema = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/)
    .default('agent'),
  greeting: z.string().max(2000).optional(),
  instructions: z.string().max(100_000).default(''),
  /** The first is used, the rest are fallbacks in order. */
  providers: z.array(provider).min(1),
  tools: z.array(tool).default([]),
  /** Codecs accepted, best first. */
  codecs: z
    .array(z.enum(['OPUS', 'G722', 'PCMU', 'PCMA']))
    .min(1)
    .default(['PCMU', 'PCMA']),
  /** Said before the call ends because no provider works. Synthesised when the connector starts. */
  apology: z
    .string()
    .default('We are sorry, something went wrong on our side. Please call again later.'),
  noInput: z
    .strictObject({
      afterSeconds: seconds(15, 600),
      prompt: z.string().default('Are you still there?'),
      /** Prompts before the call is ended. */
      attempts: z.number().int().min(1).max(10).default(2),
      goodbye: z.string().default('I cannot hear you. Goodbye.'),
    })
    .prefault({}),
  maxDurationSeconds: seconds(3600, 86_400),
  maxCalls: z.number().int().min(1).max(2000).default(100),
  /** Folder for stereo WAV files, caller left and agent right; nothing is recorded when absent. */
  recording: z.strictObject({ folder: z.string().min(1) }).optional(),
});

export type Agent = z.infer<typeof agentSchema>;
export type Tool = z.infer<typeof tool>;
export type OpenAiOptions = z.infer<typeof openai>;
export type LocalOptions = z.infer<typeof local>;
