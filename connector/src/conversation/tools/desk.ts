import type { Clock } from '../../base/clock.ts';
import type { Tool } from '../../contract/agent.ts';
import { areDigits } from '../../media/rtp/digit-sender.ts';
import type { DigitsOutcome, TransferOutcome, TransferTarget } from '../call-control.ts';
import type { ConversationEvent } from '../events.ts';
import type { Transcript } from '../transcript.ts';
import type { ToolAnswer } from './answer.ts';
import { failure, refusal } from './answer.ts';
import type { Arguments } from './arguments.ts';
import { argumentsOf, canonical } from './arguments.ts';
import type { HttpCall } from './http.ts';
import type { HttpTool, TransferTool } from './specs.ts';

export interface ToolCall {
  readonly callId: string;
  readonly name: string;
  readonly arguments: string;
}

export interface DeskDependencies {
  readonly tools: readonly Tool[];
  readonly clock: Clock;
  /** Begins the idempotency keys of this call. */
  readonly keyPrefix: string;
  readonly transcript: Transcript;
  readonly http: (call: HttpCall) => Promise<ToolAnswer>;
  readonly transfer: (target: TransferTarget) => Promise<TransferOutcome>;
  readonly sendDigits: (digits: string) => Promise<DigitsOutcome>;
  readonly onHangUp: () => void;
  /** The present session is to be told. */
  readonly onAnswer: (callId: string, text: string) => void;
  readonly onEvent: (event: ConversationEvent) => void;
}

/** After the loss of its session, a run answers the same call of the next session for so long. */
const orphanKept = 60_000;

interface Orphan {
  readonly answer: Promise<ToolAnswer>;
  readonly until: number;
}

/**
 * Carries out the model's tool calls. Each is recorded before it is sent. A session that is lost leaves
 * its calls running: should the model of the next session make the same call again, it joins the run
 * that is under way or done, so that nothing is carried out twice (but what is idempotent).
 */
export class ToolDesk {
  readonly #dependencies: DeskDependencies;
  readonly #abort = new AbortController();
  #session = 0;
  /** Calls of the present session; one that comes twice is carried out once. */
  readonly #seen = new Set<string>();
  readonly #running = new Map<string, Promise<ToolAnswer>>();
  readonly #orphans = new Map<string, Orphan>();
  #open = 0;
  #keys = 0;

  constructor(dependencies: DeskDependencies) {
    this.#dependencies = dependencies;
  }

  /** The present session has calls without an answer. */
  get isBusy(): boolean {
    return this.#open > 0;
  }

  call(call: ToolCall): void {
    if (this.#abort.signal.aborted || this.#seen.has(call.callId)) return;
    this.#seen.add(call.callId);
    const { clock, transcript } = this.#dependencies;
    const run = { call, session: this.#session, began: clock.now() };
    const number = transcript.toolStarted(call);
    this.#open++;
    void this.#run(call).then((answer) => this.#answered({ ...run, number }, answer));
  }

  sessionLost(): void {
    this.#session++;
    this.#open = 0;
    this.#seen.clear();
    const until = this.#dependencies.clock.now() + orphanKept;
    for (const [key, answer] of this.#running) this.#orphans.set(key, { answer, until });
    this.#running.clear();
  }

  close(): void {
    this.#abort.abort();
  }

  #answered(
    run: { call: ToolCall; session: number; began: number; number: number },
    answer: ToolAnswer | undefined,
  ): void {
    if (this.#abort.signal.aborted) return;
    const { clock, transcript, onAnswer, onEvent } = this.#dependencies;
    const { outcome, text } = answer ?? { outcome: 'ok', text: 'The call ends.' };
    transcript.toolEnded(run.number, outcome, text);
    onEvent({ type: 'tool', name: this.#label(run.call), outcome, took: clock.now() - run.began });
    if (run.session !== this.#session) return;
    this.#open--;
    if (answer) onAnswer(run.call.callId, text);
  }

  /** The model's invention is no label. */
  #label(call: ToolCall): string {
    return this.#toolOf(call)?.name ?? 'unknown';
  }

  #toolOf(call: ToolCall): Tool | undefined {
    return this.#dependencies.tools.find(({ name }) => name === call.name);
  }

  /** Never rejects; undefined: nothing is to be answered. */
  async #run(call: ToolCall): Promise<ToolAnswer | undefined> {
    const tool = this.#toolOf(call);
    if (!tool) return refusal('there is no such tool');
    const args = argumentsOf(call.arguments);
    if (typeof args === 'string') return refusal(args);
    if ('hangUp' in tool) {
      this.#dependencies.onHangUp();
      return undefined;
    }
    if ('sendDigits' in tool) return this.#sendDigits(tool, args);
    if ('transfer' in tool) return this.#transfer(tool, args);
    return this.#http(tool, args);
  }

  async #transfer(tool: TransferTool, args: Arguments): Promise<ToolAnswer> {
    const { destinations, referredBy } = tool.transfer;
    const destination = destinations.find(({ name }) => name === args['destination']);
    if (!destination) return refusal('there is no such destination');
    const result = await this.#dependencies.transfer({ to: destination.to, referredBy });
    if (result.outcome === 'completed')
      return { outcome: 'ok', text: 'The caller was transferred.' };
    return failure(
      `the transfer failed (${result.status} ${result.reason}); the caller is still here`,
    );
  }

  async #sendDigits(tool: Tool, args: Arguments): Promise<ToolAnswer> {
    const { digits } = args;
    if (typeof digits !== 'string' || !areDigits(digits)) return refusal('these are no keys');
    return this.#once(`${tool.name} ${canonical(args)}`, async () => {
      const outcome = await this.#dependencies.sendDigits(digits);
      return outcome === 'sent'
        ? { outcome: 'ok', text: 'The keys were pressed.' }
        : failure(digitsProblem[outcome]);
    });
  }

  #http(tool: HttpTool, args: Arguments): Promise<ToolAnswer> {
    const run = () =>
      this.#dependencies.http({
        tool,
        arguments: args,
        idempotencyKey: `${this.#dependencies.keyPrefix}-${++this.#keys}`,
        signal: this.#abort.signal,
      });
    const key = `${tool.name} ${canonical(args)}`;
    return this.#once(key, run, tool.http.idempotent);
  }

  /** Joins the run that a lost session left, if there is one; a repeatable one leaves none. */
  async #once(
    key: string,
    begin: () => Promise<ToolAnswer>,
    isRepeatable = false,
  ): Promise<ToolAnswer> {
    const orphan = this.#orphans.get(key);
    this.#orphans.delete(key);
    if (orphan && orphan.until > this.#dependencies.clock.now()) return orphan.answer;
    const run = begin();
    if (!isRepeatable) this.#running.set(key, run);
    const answer = await run;
    if (this.#running.get(key) === run) this.#running.delete(key);
    return answer;
  }
}

/** What the model is told of keys that were not pressed. */
const digitsProblem: Readonly<Record<Exclude<DigitsOutcome, 'sent'>, string>> = {
  held: 'the call is on hold; no key was pressed',
  'not-answered': 'the call is not up; no key was pressed',
  'too-many': 'too many keys are waiting; these were not pressed',
  'cut-off': 'the call was put on hold or ended before all keys were pressed',
  refused: 'the other side takes no keys',
};
