import type { Agent, LocalOptions, Tool } from './agent.ts';

/** What in an agent contradicts itself: references that lead nowhere, names used twice. */

export interface AgentProblem {
  readonly path: readonly (string | number)[];
  readonly reason: string;
}

/** The problems of an agent whose shape is right; empty when it can serve. */
export function checkAgent(agent: Agent): AgentProblem[] {
  return [
    ...repeated(agent.tools, ['tools']),
    ...agent.tools.flatMap((tool, index) => checkTool(tool, ['tools', index])),
    ...agent.providers.flatMap((provider, index) =>
      'local' in provider
        ? checkLocal(provider.local, agent.tools, ['providers', index, 'local'])
        : [],
    ),
  ];
}

type Path = AgentProblem['path'];

function repeated(things: readonly { readonly name: string }[], path: Path): AgentProblem[] {
  return things.flatMap(({ name }, index) =>
    things.findIndex((other) => other.name === name) < index
      ? [{ path: [...path, index, 'name'], reason: `"${name}" is used twice` }]
      : [],
  );
}

function checkTool(tool: Tool, path: Path): AgentProblem[] {
  if ('transfer' in tool)
    return repeated(tool.transfer.destinations, [...path, 'transfer', 'destinations']);
  if ('http' in tool && tool.http.parametersSchema['type'] !== 'object')
    return [
      {
        path: [...path, 'http', 'parametersSchema', 'type'],
        reason: 'must be "object": a tool takes named arguments',
      },
    ];
  return [];
}

function checkLocal(local: LocalOptions, tools: readonly Tool[], path: Path): AgentProblem[] {
  const intents = new Set(local.intents.map((intent) => intent.name));
  return [
    ...repeated(local.intents, [...path, 'intents']),
    ...local.intents.flatMap((_, index) => checkIntent({ local, tools, intents, index }, path)),
    ...Object.entries(local.digits).flatMap(([digit, name]) =>
      unknownName(intents, name, { kind: 'intent', path: [...path, 'digits', digit] }),
    ),
  ];
}

interface IntentPlace {
  readonly local: LocalOptions;
  readonly tools: readonly Tool[];
  readonly intents: ReadonlySet<string>;
  readonly index: number;
}

function checkIntent({ local, tools, intents, index }: IntentPlace, base: Path): AgentProblem[] {
  const intent = local.intents[index];
  if (intent === undefined) return [];
  const path = [...base, 'intents', index];
  const slots = new Set(Object.keys(local.slots));
  return [
    ...intent.phrases.flatMap((phrase, at) => checkSlots(slots, phrase, [...path, 'phrases', at])),
    ...checkSlots(slots, (intent.reply ?? '').replaceAll('{result}', ''), [...path, 'reply']),
    ...(intent.next ?? []).flatMap((name, at) =>
      unknownName(intents, name, { kind: 'intent', path: [...path, 'next', at] }),
    ),
    ...(intent.tool ? checkCall(intent.tool, { tools, slots }, [...path, 'tool']) : []),
  ];
}

interface CallPlace {
  readonly tools: readonly Tool[];
  readonly slots: ReadonlySet<string>;
}

function checkCall(
  call: { readonly name: string; readonly arguments: Readonly<Record<string, string>> },
  { tools, slots }: CallPlace,
  path: Path,
): AgentProblem[] {
  const tool = tools.find((one) => one.name === call.name);
  const names = new Set(tools.map((one) => one.name));
  return [
    ...unknownName(names, call.name, { kind: 'tool', path: [...path, 'name'] }),
    ...Object.entries(call.arguments).flatMap(([key, value]) =>
      checkSlots(slots, value, [...path, 'arguments', key]),
    ),
    ...(tool && 'transfer' in tool ? checkTransfer(tool.transfer, call.arguments, path) : []),
  ];
}

/** A transfer written out (not taken from a slot) must name one of the tool's destinations. */
function checkTransfer(
  transfer: { readonly destinations: readonly { readonly name: string }[] },
  given: Readonly<Record<string, string>>,
  path: Path,
): AgentProblem[] {
  const destination = given['destination'];
  if (destination === undefined || slotsIn(destination).length > 0) return [];
  const names = new Set(transfer.destinations.map(({ name }) => name));
  return unknownName(names, destination, {
    kind: 'destination',
    path: [...path, 'arguments', 'destination'],
  });
}

function unknownName(
  known: ReadonlySet<string>,
  name: string,
  { kind, path }: { kind: string; path: Path },
): AgentProblem[] {
  if (known.has(name)) return [];
  const choice = known.size === 0 ? 'none is defined' : `there are ${[...known].join(', ')}`;
  return [{ path, reason: `no ${kind} is called "${name}"; ${choice}` }];
}

function checkSlots(slots: ReadonlySet<string>, text: string, path: Path): AgentProblem[] {
  return slotsIn(text).flatMap((slot) => unknownName(slots, slot, { kind: 'slot', path }));
}

function slotsIn(text: string): string[] {
  return [...text.matchAll(/\{([^{}]*)\}/g)].map(([, name = '']) => name);
}
