import type { Clock } from '../base/clock.ts';
import { ConnectorError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import type { Calls, CallsUser } from '../calls/calls.ts';
import { optionsAnswer } from '../calls/capabilities.ts';
import type { IncomingCall } from '../calls/incoming-call.ts';
import { userOf } from '../calls/party.ts';
import type { Response } from '../calls/signalling.ts';
import { type Agent, agentSchema } from '../contract/agent.ts';
import type { Termination } from '../contract/termination.ts';
import type { DigitsRefusal } from '../conversation/call-control.ts';
import { Conversation } from '../conversation/conversation.ts';
import { formatFor } from '../media/audio/codecs.ts';
import { type AudioFormat, telephoneFormats } from '../media/format.ts';
import { busy, nobody, refusalFor } from './admission.ts';
import { Call, type CallDependencies, type CallOrigin } from './call.ts';
import type { CallEndpoint } from './call-audio.ts';
import { type CallDetail, type CallSummary, CallsBook } from './calls-book.ts';
import { isAllowed } from './destinations.ts';
import { answerCall } from './inbound.ts';
import type { CallMetrics } from './journal.ts';
import { dialCall } from './outbound.ts';
import { type AgentSetup, CallSetup, type Roster, SetupUse } from './setup.ts';
import { addUp, noTraffic, type Traffic } from './traffic.ts';

export interface AgentRoleOptions {
  readonly roster: Roster;
  /** Rejects with RTP_PORTS_EXHAUSTED. */
  readonly media: {
    createEndpoint(options: {
      readonly id: string;
      readonly codecs: Agent['codecs'];
      /** What the agent's first provider takes, best liked first. */
      readonly formats: readonly AudioFormat[];
    }): Promise<CallEndpoint>;
  };
  readonly clock: Clock;
  readonly random: () => number;
  /** Unique names of calls, which others see and cannot guess. */
  readonly newId: () => string;
  readonly log: Log;
  readonly metrics: CallMetrics;
}

const releaseLimit = 5000;

/** Answers calls, each as one of its agents, and places some. */
export class AgentRole implements CallsUser {
  readonly #options: AgentRoleOptions;
  readonly #book = new CallsBook();
  #roster: Roster;
  #uses: ReadonlyMap<AgentSetup, SetupUse>;
  /** Calls of each agent, by its name. */
  readonly #counts = new Map<string, number>();
  #calls: Pick<Calls, 'dial'> | undefined;
  /** Somebody asked for it, and may take it back. */
  #isPaused = false;
  /** The process ends. */
  #isEnding = false;
  #drainEpoch = 0;
  #traffic: Traffic = noTraffic;
  readonly #waitingForEmpty = new Set<() => void>();

  constructor(options: AgentRoleOptions) {
    this.#options = options;
    this.#roster = options.roster;
    this.#uses = usesOf(options.roster);
  }

  /** Where outgoing calls leave; before it, none can be placed. */
  connect(calls: Pick<Calls, 'dial'>): void {
    this.#calls = calls;
  }

  get activeCalls(): number {
    return this.#book.activeCount;
  }

  /** No new calls are taken. */
  get isDraining(): boolean {
    return this.#isPaused || this.#isEnding;
  }

  /** Counts the changes of `isDraining`. */
  get drainEpoch(): number {
    return this.#drainEpoch;
  }

  /** Calls that can be up at one time. */
  get maxCalls(): number {
    return this.#roster.maxCalls;
  }

  /** Calls from now on are answered by it; those that are up keep what they have. */
  use(roster: Roster): void {
    const old = this.#uses;
    this.#roster = roster;
    this.#uses = usesOf(roster);
    for (const use of old.values()) use.replace();
  }

  /** Takes no new calls, or takes them again; a `drain` cannot be taken back. */
  setDraining(isDraining: boolean): void {
    this.#changeDraining(() => (this.#isPaused = isDraining));
  }

  #changeDraining(change: () => void): void {
    const before = this.isDraining;
    change();
    if (this.isDraining !== before) this.#drainEpoch += 1;
  }

  /** RTP of all calls since the start. */
  traffic(): Traffic {
    return this.#book.active().reduce((sum, call) => addUp(sum, call.traffic), this.#traffic);
  }

  onUnsupported(incoming: IncomingCall): void {
    this.#createInbound(incoming).call.end({ result: 'rejected', reason: 'unsupported' });
  }

  onIncoming(incoming: IncomingCall): void {
    const { call, setup, isChosen } = this.#createInbound(incoming);
    const { agent } = setup.setup;
    const isBusy = (this.#counts.get(agent.name) ?? 0) > agent.maxCalls;
    const refusal = this.#refusal() ?? (isChosen ? isBusy && busy : nobody);
    if (refusal) {
      incoming.reject(refusal);
      return call.end(refusal.termination);
    }
    this.#book.add(call);
    return void answerCall(call, incoming, this.#override(call, incoming, setup));
  }

  /** Lets the one who is asked change the agent of this call. */
  #override(call: Call, incoming: IncomingCall, setup: CallSetup) {
    const { override } = this.#roster;
    if (!override) return undefined;
    const { dialledUser, sourceAddress, request } = incoming;
    const header = (name: string) => request.header(name);
    const about = { id: call.id, dialledUser, sourceAddress, header };
    return async (signal: AbortSignal): Promise<void> => {
      const own = await override({ ...about, signal }, setup.setup);
      if (own) setup.change(own);
    };
  }

  onOptions(): Response {
    const refusal = this.#refusal();
    if (refusal) return { status: refusal.status, headers: { ...refusal.headers } };
    return { status: 200, headers: optionsAnswer };
  }

  list(): readonly CallSummary[] {
    return this.#book.summaries();
  }

  find(id: string): CallDetail | undefined {
    return this.#book.detail(id);
  }

  /** Ends a call for the API; false when there is none. */
  hangUp(id: string): boolean {
    const call = this.#book.find(id);
    call?.end({ result: 'completed', reason: 'api-hung-up' });
    return call !== undefined;
  }

  /** Presses keys on a call for the API; `gone`: there is none. */
  sendDigits(id: string, digits: string): DigitsRefusal | 'accepted' | 'gone' {
    const run = this.#book.find(id)?.sendDigits(digits);
    if (run === undefined) return 'gone';
    return typeof run === 'string' ? run : 'accepted';
  }

  /** Starts a call. Rejects with DESTINATION_FORBIDDEN, DRAINING or RTP_PORTS_EXHAUSTED. */
  async place(request: { readonly to: string; readonly from?: string }): Promise<{ id: string }> {
    const [first] = this.#roster.setups;
    if (!first) throw new ConnectorError('DRAINING', 'no agent takes calls');
    const { agent, destinations } = first;
    const { to, from = `sip:${agent.name}@localhost` } = request;
    if (!isAllowed(to, destinations)) {
      throw new ConnectorError('DESTINATION_FORBIDDEN', 'sip.destinations does not allow this');
    }
    const refusal = this.#refusal();
    if (refusal?.termination.reason === 'capacity') {
      throw new ConnectorError('RTP_PORTS_EXHAUSTED', 'maxCalls calls are up');
    }
    if (refusal || !this.#calls) throw new ConnectorError('DRAINING', 'no new calls are taken');
    const { call } = this.#createCall({ direction: 'outbound', from, to, sipCallId: '' }, first);
    this.#book.add(call);
    try {
      const audio = await call.openAudio();
      void dialCall(call, audio, this.#calls);
    } catch (error) {
      call.fail(error);
      throw error;
    }
    return { id: call.id };
  }

  /**
   * Takes no new calls and resolves when all are over and released, at the latest after `timeout`, when
   * those that are up are ended. A second call with less time hurries the first.
   */
  async drain(timeout: number): Promise<void> {
    this.#changeDraining(() => (this.#isEnding = true));
    await this.#untilEmpty(timeout);
    this.#endAll({ result: 'failed', reason: 'draining' });
    await this.#untilReleased();
  }

  /** Ends all calls at once; also a `drain` that waits then resolves. */
  close(): Promise<void> {
    return this.drain(0);
  }

  /** A caller who never acknowledged our 200, or never answers our BYE, does not keep the process. */
  async #untilReleased(): Promise<void> {
    const limit = Promise.withResolvers<void>();
    const timer = this.#options.clock.after(releaseLimit, limit.resolve);
    await Promise.race([this.#book.released(), limit.promise]);
    timer.cancel();
  }

  #untilEmpty(timeout: number): Promise<void> {
    if (this.activeCalls === 0 || timeout <= 0) return Promise.resolve();
    return new Promise((resolve) => {
      const finish = () => {
        limit.cancel();
        this.#waitingForEmpty.delete(finish);
        resolve();
      };
      const limit = this.#options.clock.after(timeout, finish);
      this.#waitingForEmpty.add(finish);
    });
  }

  #endAll(termination: Termination): void {
    for (const call of this.#book.active()) call.end(termination);
  }

  #refusal() {
    return refusalFor({
      isDraining: this.isDraining,
      activeCalls: this.activeCalls,
      maxCalls: this.#roster.maxCalls,
    });
  }

  /** With a stand-in where nobody is there, for also a refused call is one. */
  #createInbound({ from, to, sipCallId, dialledUser }: IncomingCall) {
    const chosen = this.#roster.choose(dialledUser === '' ? userOf(to.uri) : dialledUser);
    const origin: CallOrigin = { direction: 'inbound', from: from.uri, to: to.uri, sipCallId };
    const setup = chosen ?? this.#roster.setups[0] ?? noSetup;
    return { ...this.#createCall(origin, setup), isChosen: chosen !== undefined };
  }

  #createCall(origin: CallOrigin, of: AgentSetup): { call: Call; setup: CallSetup } {
    const { media, clock, log, metrics, newId } = this.#options;
    const setup = new CallSetup(this.#uses.get(of) ?? new SetupUse(of));
    const { name } = of.agent;
    const agent = () => setup.setup.agent;
    const formats = () => setup.setup.providers[0]?.formats ?? telephoneFormats;
    this.#count(name, 1);
    const dependencies: CallDependencies = {
      id: newId(),
      get preferredFormat() {
        return formatFor(agent().codecs[0] ?? 'PCMU', formats());
      },
      get recordingFolder() {
        return agent().recording?.folder;
      },
      openEndpoint: (id) =>
        media.createEndpoint({ id, codecs: agent().codecs, formats: formats() }),
      createConversation: (wiring) =>
        new Conversation({ ...this.#options, ...setup.setup, ...wiring }),
      clock,
      log: this.#roster.setups.length > 1 ? log.child({ agent: name }) : log,
      metrics,
      onEnded: (ended) => {
        this.#count(name, -1);
        this.#onEnded(ended, setup);
      },
    };
    return { call: new Call(dependencies, origin), setup };
  }

  #count(name: string, change: 1 | -1): void {
    const count = (this.#counts.get(name) ?? 0) + change;
    if (count === 0) this.#counts.delete(name);
    else this.#counts.set(name, count);
  }

  #onEnded(call: Call, setup: CallSetup): void {
    void call.released.finally(() => setup.leave());
    this.#traffic = addUp(this.#traffic, call.traffic);
    this.#book.close(call);
    if (this.activeCalls > 0) return;
    for (const finish of this.#waitingForEmpty) finish();
  }
}

/** Of a call that nobody is there to answer. */
const noSetup: AgentSetup = {
  agent: agentSchema.parse({ name: 'nobody', providers: [{ openai: {} }] }),
  providers: [],
  speaker: undefined,
  destinations: [],
  release: () => undefined,
};

function usesOf({ setups }: Roster): ReadonlyMap<AgentSetup, SetupUse> {
  return new Map(setups.map((setup) => [setup, new SetupUse(setup)]));
}
