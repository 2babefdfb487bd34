import { Counter, Histogram, Registry } from 'prom-client';
import type { Termination } from '../contract/termination.ts';
import { BoundedLabel } from './bounded-label.ts';
import { type ObservedQuality, type QualityDirection, QualityHistograms } from './call-quality.ts';
import { type EventLoopLag, registerEventLoopLag } from './event-loop.ts';
import { type Figures, registerFigures } from './figures.ts';

// Buckets in seconds around what people notice: 20 ms is a packet, 1 s of silence feels broken.
const setupBuckets = [0.05, 0.1, 0.25, 0.5, 1, 2, 4, 8, 16];
const firstAudioBuckets = [0.1, 0.2, 0.3, 0.5, 0.75, 1, 1.5, 2, 3, 5, 10];
const bargeInBuckets = [0.005, 0.01, 0.02, 0.04, 0.06, 0.1, 0.2, 0.5, 1];

export interface MetricsSources extends Figures {
  readonly eventLoop: EventLoopLag;
}

/**
 * The connector's Prometheus metrics. What happens rarely is told by the methods; what is counted
 * per packet or per message stays where it is counted and is asked for when somebody scrapes.
 */
export class Metrics {
  readonly #registry = new Registry();
  readonly #calls: Counter<'result' | 'reason'>;
  readonly #setup: Histogram;
  readonly #firstAudio: Histogram;
  readonly #bargeIn: Histogram;
  readonly #opens: Counter<'provider' | 'outcome'>;
  readonly #faults: Counter<'provider' | 'code'>;
  readonly #tools: Counter<'outcome'>;
  readonly #overrides: Counter<'source' | 'outcome'>;
  readonly #quality: QualityHistograms;
  readonly #codes = new BoundedLabel(40);

  constructor(sources: MetricsSources) {
    const registers = [this.#registry];
    this.#calls = new Counter({
      name: 'parley_calls_total',
      help: 'Calls that ended.',
      labelNames: ['result', 'reason'],
      registers,
    });
    this.#setup = new Histogram({
      name: 'parley_call_setup_seconds',
      help: 'From INVITE to its final answer.',
      buckets: setupBuckets,
      registers,
    });
    this.#firstAudio = new Histogram({
      name: 'parley_first_audio_seconds',
      help: 'From the end of what the caller said, or the answer, to the first audio of the reply.',
      buckets: firstAudioBuckets,
      registers,
    });
    this.#bargeIn = new Histogram({
      name: 'parley_barge_in_stop_seconds',
      help: 'From the report that the caller speaks to silence on the wire.',
      buckets: bargeInBuckets,
      registers,
    });
    this.#opens = new Counter({
      name: 'parley_provider_opens_total',
      help: 'Attempts to open a session with an AI provider.',
      labelNames: ['provider', 'outcome'],
      registers,
    });
    this.#faults = new Counter({
      name: 'parley_provider_faults_total',
      help: 'Faults and losses of open sessions.',
      labelNames: ['provider', 'code'],
      registers,
    });
    this.#tools = new Counter({
      name: 'parley_tool_calls_total',
      help: 'Tool calls of the model.',
      labelNames: ['outcome'],
      registers,
    });
    this.#overrides = new Counter({
      name: 'parley_agent_overrides_total',
      help: 'Changes of the agent for one call, by who asked for them.',
      labelNames: ['source', 'outcome'],
      registers,
    });
    this.#quality = new QualityHistograms(this.#registry);
    registerFigures(this.#registry, sources);
    registerEventLoopLag(this.#registry, sources.eventLoop);
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  /** The exposition text. */
  text(): Promise<string> {
    return this.#registry.metrics();
  }

  callEnded({ result, reason }: Termination): void {
    this.#calls.inc({ result, reason });
  }

  /** One direction of a call that ended. */
  callQuality(direction: QualityDirection, quality: ObservedQuality): void {
    this.#quality.observe(direction, quality);
  }

  /** Times are in ms, as everywhere; the metrics are in seconds, as Prometheus wants. */
  callSetUp(duration: number): void {
    this.#setup.observe(duration / 1000);
  }

  firstAudio(delay: number): void {
    this.#firstAudio.observe(delay / 1000);
  }

  bargeInStopped(delay: number): void {
    this.#bargeIn.observe(delay / 1000);
  }

  /** `outcome` is `ok` or the code of the error that `open` was rejected with. */
  providerOpened(provider: string, outcome: string): void {
    this.#opens.inc({ provider, outcome });
  }

  /** `code` as in the session's fault or lost event; servers make them up, so their number is bounded. */
  providerFault(provider: string, code: string): void {
    this.#faults.inc({ provider, code: this.#codes.of(code) });
  }

  /** A webhook or header said, or should have said, how the agent of a call differs. */
  overridden(of: { readonly source: 'webhook' | 'header'; readonly outcome: string }): void {
    this.#overrides.inc({ source: of.source, outcome: of.outcome });
  }

  toolCalled(outcome: 'ok' | 'failed' | 'timeout' | 'refused'): void {
    this.#tools.inc({ outcome });
  }
}
