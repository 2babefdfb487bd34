import type { ToolSpec } from '../../ai/session.ts';
import type { Tool } from '../../contract/agent.ts';

export type HttpTool = Extract<Tool, { readonly http: unknown }>;
export type TransferTool = Extract<Tool, { readonly transfer: unknown }>;

const nothing = { type: 'object', properties: {}, additionalProperties: false };

/** The agent's tools as the model is told of them. */
export function specsOf(tools: readonly Tool[]): readonly ToolSpec[] {
  return tools.map((tool) => {
    if ('hangUp' in tool) return hangUpSpec(tool);
    if ('sendDigits' in tool) return sendDigitsSpec(tool);
    if ('transfer' in tool) return transferSpec(tool);
    return {
      name: tool.name,
      description: tool.description ?? '',
      parameters: tool.http.parametersSchema,
    };
  });
}

function hangUpSpec(tool: Tool): ToolSpec {
  const description =
    tool.description ??
    'Ends the call. Say goodbye first, then call this; the caller hears the goodbye to its end.';
  return { name: tool.name, description, parameters: nothing };
}

function sendDigitsSpec(tool: Tool): ToolSpec {
  const description =
    tool.description ??
    'Presses keys of the telephone, as a menu or an extension asks for. They are sent at once.';
  const digits = {
    type: 'string',
    description: 'The keys in order: 0 to 9, *, #, A to D.',
    pattern: '^[0-9*#A-D]{1,64}$',
  };
  return {
    name: tool.name,
    description,
    parameters: {
      type: 'object',
      properties: { digits },
      required: ['digits'],
      additionalProperties: false,
    },
  };
}

function transferSpec(tool: TransferTool): ToolSpec {
  const { destinations } = tool.transfer;
  const list = destinations
    .map(({ name, description }) => (description ? `${name}: ${description}` : name))
    .join('; ');
  const purpose =
    tool.description ??
    'Transfers the caller. Say so first, then call this, and say nothing after it.';
  return {
    name: tool.name,
    description: `${purpose} Destinations: ${list}.`,
    parameters: {
      type: 'object',
      properties: { destination: { type: 'string', enum: destinations.map(({ name }) => name) } },
      required: ['destination'],
      additionalProperties: false,
    },
  };
}
