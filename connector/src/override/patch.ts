import { z } from 'zod';
import { readAvcAnswer } from '../avc/answer.ts';
import { type Agent, agentSchema } from '../contract/agent.ts';
import { checkAgent } from '../contract/agent-check.ts';

/** What may differ in an agent for one call. Files, commands, tools and where keys are kept never do. */

const shape = agentSchema.shape;
const openaiShape = shape.providers.element.options[0].shape.openai.shape;

const patchSchema = z.strictObject({
  /** Another of the configured agents, by its name. */
  agent: z.string().optional(),
  greeting: shape.greeting,
  instructions: shape.instructions.unwrap().optional(),
  apology: shape.apology.unwrap().optional(),
  maxDurationSeconds: shape.maxDurationSeconds.unwrap().optional(),
  openai: z
    .strictObject({
      model: openaiShape.model.unwrap().optional(),
      voice: openaiShape.voice.unwrap().optional(),
      url: openaiShape.url.unwrap().optional(),
      turnDetection: openaiShape.turnDetection.unwrap().optional(),
      language: openaiShape.language,
      speed: openaiShape.speed,
      transcriptionPrompt: openaiShape.transcriptionPrompt,
      maxOutputTokens: openaiShape.maxOutputTokens,
      noiseReduction: openaiShape.noiseReduction,
      temperature: openaiShape.temperature,
    })
    .optional(),
  /** Of the provider's account. */
  key: z
    .string()
    .regex(/^[\x21-\x7e]+$/)
    .optional(),
  /** Where a transfer goes, instead of all configured destinations. */
  transfer: z.strictObject({ to: z.string(), referredBy: z.string().optional() }).optional(),
});

export type Patch = z.infer<typeof patchSchema>;
export type Permission = 'transfer' | 'key' | 'url';

/** What a text asks for, or why it cannot be read; `notes` for what in it has no meaning here. */
export type ReadPatch =
  | { readonly patch: Patch; readonly notes: readonly string[] }
  | { readonly reason: string };

/** JSON in our own shape or in that of the OpenSIPS AI Voice Connector, whose flavours are agents here. */
export function readPatch(text: string, agentNames: readonly string[]): ReadPatch {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { reason: 'no JSON' };
  }
  const answer = readAvcAnswer(value);
  if (!answer) return validated(value, []);
  const { flavor } = answer;
  const isAgent = agentNames.includes(flavor);
  if (!isAgent && flavor !== 'openai') return { reason: 'the flavor is no agent of this file' };
  const { notes, ...rest } = answer.agent;
  return validated(isAgent ? { ...rest, agent: flavor } : rest, notes);
}

function validated(value: unknown, notes: readonly string[]): ReadPatch {
  const parsed = patchSchema.safeParse(value);
  if (parsed.success) return { patch: parsed.data, notes };
  const [issue] = parsed.error.issues;
  const path = issue?.path.join('.') ?? '';
  return { reason: `${path === '' ? '' : `${path}: `}${issue?.message ?? 'invalid'}` };
}

/** `base64` of JSON, or JSON as it is. */
export function headerText(value: string): string {
  const text = value.trim();
  if (!/^[A-Za-z0-9+/_-]+={0,2}$/.test(text)) return text;
  return Buffer.from(text, 'base64').toString('utf8');
}

/** True when nothing is to change. */
export function isEmpty(patch: Patch): boolean {
  const { openai = {}, ...rest } = patch;
  return Object.keys({ ...rest, ...openai }).length === 0;
}

/** What in a patch nobody allowed; undefined when all of it may be. */
export function forbiddenIn(patch: Patch, allowed: readonly Permission[]): Permission | undefined {
  const asked: Permission[] = [
    ...(patch.transfer ? (['transfer'] as const) : []),
    ...(patch.key === undefined ? [] : (['key'] as const)),
    ...(patch.openai?.url === undefined ? [] : (['url'] as const)),
  ];
  return asked.find((one) => !allowed.includes(one));
}

/** Both; where they differ, the later counts. */
export function mergePatches(earlier: Patch, later: Patch): Patch {
  return { ...earlier, ...later, openai: { ...earlier.openai, ...later.openai } };
}

/** The agent as the patch wants it, or why there can be none such. */
export function patchAgent(agent: Agent, patch: Patch): { agent: Agent } | { reason: string } {
  const { agent: _, openai, key, transfer, ...texts } = patch;
  // Our own key goes to no server but the one it was configured for.
  if (openai?.url !== undefined && key === undefined)
    return { reason: 'openai.url: needs a key of its own' };
  const given = Object.fromEntries(
    Object.entries(texts).filter(([, value]) => value !== undefined),
  );
  const parsed = agentSchema.safeParse({
    ...agent,
    ...given,
    providers: openai ? agent.providers.map((one) => patchProvider(one, openai)) : agent.providers,
    tools: transfer ? withTransfer(agent.tools, transfer) : agent.tools,
  });
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    return { reason: `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'invalid'}` };
  }
  const [problem] = checkAgent(parsed.data);
  return problem
    ? { reason: `${problem.path.join('.')}: ${problem.reason}` }
    : { agent: parsed.data };
}

function patchProvider(
  provider: Agent['providers'][number],
  openai: NonNullable<Patch['openai']>,
): unknown {
  if (!('openai' in provider)) return provider;
  const { turnDetection: before } = provider.openai;
  const { turnDetection: after = before } = openai;
  const turnDetection = before.type === after.type ? { ...before, ...after } : after;
  return { openai: { ...provider.openai, ...openai, turnDetection } };
}

function withTransfer(tools: Agent['tools'], to: NonNullable<Patch['transfer']>): unknown[] {
  const { to: target, ...referredBy } = to;
  const destinations = [{ name: 'default', to: target }];
  const has = tools.some((tool) => 'transfer' in tool);
  if (!has) return [...tools, { name: 'transfer_call', transfer: { destinations, ...referredBy } }];
  return tools.map((tool) =>
    'transfer' in tool
      ? { ...tool, transfer: { ...tool.transfer, ...referredBy, destinations } }
      : tool,
  );
}
