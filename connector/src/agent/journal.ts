import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { Termination } from '../contract/termination.ts';
import type { ConversationEvent } from '../conversation/events.ts';
import type { Turn } from '../conversation/turns.ts';
import type { EndpointStats } from '../media/endpoint-stats.ts';
import type { Metrics } from '../metrics/metrics.ts';

/** What metrics take from calls. */
export type CallMetrics = Pick<
  Metrics,
  | 'callEnded'
  | 'callQuality'
  | 'callSetUp'
  | 'firstAudio'
  | 'bargeInStopped'
  | 'providerOpened'
  | 'providerFault'
  | 'toolCalled'
>;

export interface JournalDependencies {
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: CallMetrics;
}

/** What is known of a call for log, metrics and API: times, counts, no media and no SIP. */
export class Journal {
  readonly #with: JournalDependencies;
  readonly #begun: number;
  /** Wall clock, ms since the epoch. */
  readonly startedAt: number;
  #answeredAt: number | undefined;
  #talkingSince: number | undefined;
  #endedAt: number | undefined;
  readonly #timings = new Map<string, number>();
  #provider = '';
  readonly #counts = { bargeIns: 0, tools: 0, providerLosses: 0 };

  constructor(dependencies: JournalDependencies) {
    this.#with = dependencies;
    this.#begun = dependencies.clock.now();
    this.startedAt = dependencies.clock.wall();
  }

  get answeredAt(): number | undefined {
    return this.#answeredAt;
  }

  get endedAt(): number | undefined {
    return this.#endedAt;
  }

  /** ms, by what was measured. */
  get timings(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#timings);
  }

  /** The final answer to the INVITE, whichever it is. */
  setUp(): void {
    if (this.#timings.has('setup')) return;
    const took = this.#with.clock.now() - this.#begun;
    this.#timings.set('setup', Math.round(took));
    this.#with.metrics.callSetUp(took);
  }

  answered(): void {
    const { clock } = this.#with;
    this.#answeredAt ??= clock.wall();
    this.#talkingSince ??= clock.now();
  }

  onConversation(event: ConversationEvent): void {
    const { metrics } = this.#with;
    switch (event.type) {
      case 'session-opened':
        this.#provider = event.provider;
        if (!this.#timings.has('sessionOpen')) {
          this.#timings.set('sessionOpen', Math.round(event.took));
        }
        return metrics.providerOpened(event.provider, 'ok');
      case 'first-audio':
        this.#timings.set('firstAudio', Math.round(event.after));
        return metrics.firstAudio(event.after);
      case 'barge-in':
        this.#counts.bargeIns += 1;
        this.#timings.set('bargeInStop', Math.round(event.stoppedAfter));
        return metrics.bargeInStopped(event.stoppedAfter);
      case 'provider-lost':
        this.#counts.providerLosses += 1;
        return metrics.providerFault(event.provider, event.code);
      case 'tool':
        this.#counts.tools += 1;
        return metrics.toolCalled(event.outcome);
      case 'turn':
        return this.#logTurn(event.turn);
      case 'ended':
        return undefined;
    }
  }

  #logTurn(turn: Turn): void {
    const { number, role, at: _, ...pii } = turn;
    this.#with.log.info({ turn: number, role, pii }, 'turn');
  }

  /** The one line that tells a call; `stats` undefined where it never had media. */
  ended(end: {
    readonly termination: Termination;
    readonly codec: string;
    readonly turns: number;
    readonly stats: EndpointStats | undefined;
  }): void {
    const { clock, log, metrics } = this.#with;
    this.setUp();
    this.#endedAt = clock.wall();
    // The wall clock may have been set meanwhile.
    const talked =
      this.#talkingSince === undefined ? 0 : Math.round(clock.now() - this.#talkingSince);
    log.info(
      {
        ...end.termination,
        duration: Math.round(clock.now() - this.#begun),
        talked,
        timings: this.timings,
        provider: this.#provider,
        codec: end.codec,
        turns: end.turns,
        ...this.#counts,
        ...(end.stats ? { media: end.stats } : {}),
      },
      'call ended',
    );
    metrics.callEnded(end.termination);
    if (end.stats) this.#observeQuality(end.stats);
  }

  /** A direction in which nothing went has no quality. */
  #observeQuality({ packetsIn, quality }: EndpointStats): void {
    const { metrics } = this.#with;
    if (packetsIn > 0) metrics.callQuality('received', quality.received);
    if (quality.sent) metrics.callQuality('sent', quality.sent);
  }
}
