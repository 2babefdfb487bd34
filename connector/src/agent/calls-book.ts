import type { CallQuality } from '../media/call-quality.ts';
import type { Call, CallState } from './call.ts';
import { type ApiTurn, apiTurns } from './transcript.ts';

/** Ended calls that can still be asked for; what they said is in memory only. */
const keptCalls = 100;

/** Fit for lists: nothing personal in it. Times in ISO 8601. */
export interface CallSummary {
  readonly id: string;
  readonly direction: 'inbound' | 'outbound';
  readonly state: CallState;
  readonly startedAt: string;
  readonly answeredAt?: string;
  /** Once the call is up. */
  readonly quality?: CallQuality;
}

export interface CallDetail extends CallSummary {
  readonly from: string;
  readonly to: string;
  readonly endedAt?: string;
  readonly termination?: NonNullable<Call['termination']>;
  readonly timings: Readonly<Record<string, number>>;
  readonly transcript: readonly ApiTurn[];
}

/** The calls of this process: those that are, and the last that were. */
export class CallsBook {
  readonly #active = new Map<string, Call>();
  readonly #ended = new Map<string, CallDetail>();
  /** Ended calls whose ports and dialogs are on their way out. */
  readonly #releasing = new Set<Promise<unknown>>();

  get activeCount(): number {
    return this.#active.size;
  }

  active(): readonly Call[] {
    return [...this.#active.values()];
  }

  add(call: Call): void {
    this.#active.set(call.id, call);
  }

  /** The call ended: from here on it is only remembered. */
  close(call: Call): void {
    if (!this.#active.delete(call.id)) return;
    this.#ended.set(call.id, detailOf(call));
    const oldest = this.#ended.keys().next();
    if (this.#ended.size > keptCalls && !oldest.done) this.#ended.delete(oldest.value);
    const released = call.released.finally(() => this.#releasing.delete(released));
    this.#releasing.add(released);
  }

  /** Resolves when all that ended calls held is released. */
  async released(): Promise<void> {
    await Promise.allSettled(this.#releasing);
  }

  find(id: string): Call | undefined {
    return this.#active.get(id);
  }

  summaries(): readonly CallSummary[] {
    return [...this.#active.values()].map((call) => summaryOf(call));
  }

  detail(id: string): CallDetail | undefined {
    const call = this.#active.get(id);
    return call ? detailOf(call) : this.#ended.get(id);
  }
}

function summaryOf({ id, origin, state, journal, quality }: Call): CallSummary {
  return {
    id,
    direction: origin.direction,
    state,
    startedAt: iso(journal.startedAt),
    ...(journal.answeredAt === undefined ? {} : { answeredAt: iso(journal.answeredAt) }),
    ...(quality && { quality }),
  };
}

function detailOf(call: Call): CallDetail {
  const { origin, journal, termination } = call;
  return {
    ...summaryOf(call),
    from: origin.from,
    to: origin.to,
    ...(journal.endedAt === undefined ? {} : { endedAt: iso(journal.endedAt) }),
    ...(termination === undefined ? {} : { termination }),
    timings: journal.timings,
    transcript: apiTurns(call.transcript()),
  };
}

function iso(wall: number): string {
  return new Date(wall).toISOString();
}
