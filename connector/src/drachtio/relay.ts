import type { Clock, Timer } from '../base/clock.ts';
import type { SipRequest, SipResponse } from '../sip/message/message.ts';
import type { Branch, Forwarding, Trace } from '../sip/user-agent.ts';
import { proxyResponse } from './proxy-response.ts';
import {
  type Search,
  type SearchEffect,
  type SearchEvent,
  type SearchOptions,
  searchOf,
  stepSearch,
} from './target-set.ts';

export interface RelayOptions {
  readonly forwarding: Forwarding;
  readonly targets: readonly string[];
  readonly search: SearchOptions;
  readonly clock: Clock;
  /** The copy for a target and where it goes; without `nextHop` its Route and request-URI decide. */
  copyFor(target: string): { request: SipRequest; nextHop?: string };
  /** A target's final response. */
  onFinal(response: SipResponse, trace: Trace): void;
  /** The search is over; late 2xx may still pass. */
  onDone(): void;
}

/** Carries one request through its targets: runs what the search decides. */
export class Relay {
  readonly #options: RelayOptions;
  readonly #branches: Branch[] = [];
  readonly #traces: Trace[] = [];
  readonly #timers = new Map<string, Timer>();
  readonly #events: SearchEvent[] = [];
  #search: Search;
  #isStepping = false;

  constructor(options: RelayOptions) {
    this.#options = options;
    this.#search = searchOf(options.targets, options.search);
  }

  start(): void {
    this.#options.forwarding.onCancel(() => this.#step({ kind: 'cancelled' }));
    this.#step({ kind: 'start' });
  }

  close(): void {
    for (const timer of this.#timers.values()) timer.cancel();
    this.#timers.clear();
  }

  /** A branch may answer while its request is being sent, so events wait for the step before. */
  #step(event: SearchEvent): void {
    this.#events.push(event);
    if (this.#isStepping) return;
    this.#isStepping = true;
    for (let next = this.#events.shift(); next; next = this.#events.shift()) {
      const [search, effects] = stepSearch(this.#search, next);
      this.#search = search;
      for (const effect of effects) this.#run(effect);
    }
    this.#isStepping = false;
  }

  #run(effect: SearchEffect): void {
    const { forwarding } = this.#options;
    switch (effect.kind) {
      case 'forward':
        this.#forward(effect.branch, effect.target);
        break;
      case 'cancel':
        this.#branches[effect.branch]?.cancel();
        break;
      case 'wait':
        this.#wait(effect);
        break;
      case 'stop':
        this.#stop(`${effect.timer} ${effect.branch}`);
        break;
      case 'reply':
        forwarding.reply(effect.response);
        break;
      case 'report':
        this.#report(effect.branch, effect.response);
        break;
      case 'unanswered':
        if (forwarding.message.method !== 'INVITE') forwarding.release();
        else forwarding.reply(proxyResponse(forwarding.message, 408));
        break;
      case 'done':
        this.#options.onDone();
        break;
    }
  }

  #forward(branch: number, target: string): void {
    const { request, nextHop } = this.#options.copyFor(target);
    this.#branches[branch] = this.#options.forwarding.forward(request, {
      ...(nextHop !== undefined && { nextHop }),
      onResponse: (response, trace) => {
        this.#traces[branch] = trace;
        this.#step({ kind: 'response', branch, response });
      },
    });
  }

  #report(branch: number, response: SipResponse): void {
    const trace = this.#traces[branch];
    if (trace) this.#options.onFinal(response, trace);
  }

  #wait({ branch, timer, delay }: Extract<SearchEffect, { kind: 'wait' }>): void {
    const key = `${timer} ${branch}`;
    this.#stop(key);
    const running = this.#options.clock.after(delay, () => {
      this.#timers.delete(key);
      this.#step({ kind: 'timeout', branch, timer });
    });
    this.#timers.set(key, running);
  }

  #stop(key: string): void {
    this.#timers.get(key)?.cancel();
    this.#timers.delete(key);
  }
}
