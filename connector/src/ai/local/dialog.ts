/**
 * What the offline agent says and does next: a pure step over what was understood. A reply goes out at
 * once, beside the tool call it announces; one that needs the tool's `{result}` waits for it.
 */
import type { HistoryItem } from '../session.ts';
import type { SlotValues } from './match.ts';
import type { LocalOptions } from './options.ts';
import type { Meaning, Script } from './script.ts';

export interface DialogSetup {
  readonly script: Script;
  readonly options: Pick<LocalOptions, 'fallback' | 'digits'>;
  readonly greeting: string | undefined;
}

/** A tool call, from its making until what became of it was said. */
interface ToolRun {
  readonly callId: string;
  readonly name: string;
  readonly arguments: string;
  /** Undefined when the call was not made for an intent of this script. */
  readonly meaning: Meaning | undefined;
  readonly output: string | undefined;
}

export interface DialogState {
  /** Intents that can follow; all when undefined. */
  readonly allowed: readonly string[] | undefined;
  readonly runs: readonly ToolRun[];
  /** Last words of the caller that got no answer. */
  readonly unanswered: string | undefined;
  /** Somebody has said something. */
  readonly isUnderWay: boolean;
}

export type DialogEvent =
  /** `callId` names the tool call that may follow. */
  | { readonly type: 'heard'; readonly text: string; readonly callId: string }
  | { readonly type: 'digit'; readonly digit: string; readonly callId: string }
  | { readonly type: 'not-understood' }
  | { readonly type: 'say'; readonly text: string }
  | { readonly type: 'respond'; readonly callId: string }
  | { readonly type: 'tool-result'; readonly callId: string; readonly output: string };

export type DialogEffect =
  /** Empty text: there is nothing to say, but a reply is waited for. */
  | { readonly type: 'speak'; readonly text: string }
  | {
      readonly type: 'call-tool';
      readonly callId: string;
      readonly name: string;
      readonly arguments: string;
    };

type Step = [DialogState, readonly DialogEffect[]];

const toolFailed = 'Sorry, that did not work.';

/** The state after `history`; the empty history begins a conversation. */
export function dialogOf(setup: DialogSetup, history: readonly HistoryItem[]): DialogState {
  const blank: DialogState = {
    allowed: undefined,
    runs: [],
    unanswered: undefined,
    isUnderWay: false,
  };
  return history.reduce((state, item) => recall(setup, state, item), blank);
}

function recall(setup: DialogSetup, state: DialogState, item: HistoryItem): DialogState {
  switch (item.kind) {
    case 'message': {
      if (item.role === 'agent')
        return { ...state, unanswered: undefined, runs: open(state.runs), isUnderWay: true };
      const meaning = setup.script.understand(item.text, undefined);
      const allowed = meaning ? meaning.intent.next : state.allowed;
      return { ...state, allowed, unanswered: item.text, isUnderWay: true };
    }
    case 'tool-call': {
      const meaning =
        state.unanswered === undefined
          ? undefined
          : setup.script.understand(state.unanswered, undefined);
      const { callId, name } = item;
      const run = { callId, name, arguments: item.arguments, meaning, output: undefined };
      return { ...state, unanswered: undefined, runs: [...state.runs, run] };
    }
    case 'tool-result':
      return withOutput(state, item.callId, item.output);
  }
}

/** Runs whose result is still to come. */
function open(runs: readonly ToolRun[]): readonly ToolRun[] {
  return runs.filter(({ output }) => output === undefined);
}

function withOutput(state: DialogState, callId: string, output: string): DialogState {
  return {
    ...state,
    runs: state.runs.map((run) => (run.callId === callId ? { ...run, output } : run)),
  };
}

export function stepDialog(setup: DialogSetup, state: DialogState, event: DialogEvent): Step {
  switch (event.type) {
    case 'heard': {
      const meaning = setup.script.understand(event.text, state.allowed);
      return meaning ? act(state, meaning, event.callId) : speak(state, setup.options.fallback);
    }
    case 'digit': {
      const intent = setup.script.intent(setup.options.digits[event.digit] ?? '');
      return intent ? act(state, { intent, slots: {} }, event.callId) : [state, []];
    }
    case 'not-understood':
      return speak(state, setup.options.fallback);
    case 'say':
      return speak(state, event.text);
    case 'tool-result':
      return [withOutput(state, event.callId, event.output), []];
    case 'respond':
      return respond(setup, state, event.callId);
  }
}

function speak(state: DialogState, text: string): Step {
  return [{ ...state, unanswered: undefined, isUnderWay: true }, [{ type: 'speak', text }]];
}

/** Does what an intent says. */
function act(state: DialogState, meaning: Meaning, callId: string): Step {
  const { tool, reply, next } = meaning.intent;
  const heard = { ...state, allowed: next, unanswered: undefined, isUnderWay: true };
  const isSaidNow = reply !== undefined && !(tool && reply.includes('{result}'));
  const said: readonly DialogEffect[] = isSaidNow
    ? [{ type: 'speak', text: fill(reply, meaning.slots) }]
    : [];
  if (!tool) return [heard, said];
  const given = Object.entries(tool.arguments).map(([key, value]) => [
    key,
    fill(value, meaning.slots),
  ]);
  const args = JSON.stringify({ ...meaning.slots, ...Object.fromEntries(given) });
  const run = { callId, name: tool.name, arguments: args, meaning, output: undefined };
  return [
    { ...heard, runs: [...heard.runs, run] },
    [...said, { type: 'call-tool', callId, name: tool.name, arguments: args }],
  ];
}

/** Speaks on its own: tool results first, then what the caller still waits for. */
function respond(setup: DialogSetup, state: DialogState, callId: string): Step {
  const lost = state.runs.find(({ output }) => output !== undefined && isUnknown(output));
  if (lost) return repeat(state, lost, callId);
  const done = state.runs.filter(({ output }) => output !== undefined);
  if (done.length > 0) {
    const text = done.map((run) => resultOf(run)).join(' ');
    return speak({ ...state, runs: open(state.runs) }, text.trim());
  }
  if (state.unanswered !== undefined) {
    const meaning = setup.script.understand(state.unanswered, undefined);
    if (meaning) return act(state, meaning, callId);
  }
  return speak(state, state.isUnderWay ? setup.options.fallback : (setup.greeting ?? ''));
}

/** The outcome of a call was lost with an earlier session; the same call again brings it. */
function repeat(state: DialogState, lost: ToolRun, callId: string): Step {
  const { name, meaning } = lost;
  const again = { callId, name, arguments: lost.arguments, meaning, output: undefined };
  return [
    { ...state, runs: state.runs.map((run) => (run === lost ? again : run)) },
    [{ type: 'call-tool', callId, name, arguments: lost.arguments }],
  ];
}

/** What is said of a tool's output: its field `say`, else the intent's reply, else the output if it is prose. */
function resultOf({ meaning, output = '' }: ToolRun): string {
  const value = parse(output);
  const { say, error } = fieldsOf(value);
  if (typeof say === 'string') return say;
  if (error !== undefined) return toolFailed;
  const prose = proseOf(value, output);
  const reply = meaning?.intent.reply;
  if (reply === undefined) return prose;
  // Any other reply was said before the call.
  return reply.includes('{result}') ? fill(reply, { ...meaning?.slots, result: prose }) : '';
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

function proseOf(value: unknown, output: string): string {
  if (value === undefined) return output;
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}

function isUnknown(output: string): boolean {
  return fieldsOf(parse(output))['outcome'] === 'unknown';
}

/** Undefined when it is not JSON. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** `{slot}` becomes what was said, or nothing when nothing was. */
function fill(template: string, slots: SlotValues): string {
  return template
    .replaceAll(/\{([^{}]*)\}/g, (_, name: string) => slots[name.trim()] ?? '')
    .replaceAll(/ {2,}/g, ' ')
    .trim();
}
