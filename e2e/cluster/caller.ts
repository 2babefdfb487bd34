import { setTimeout as delay } from 'node:timers/promises';
import type { Call } from '../phone/call.ts';
import { Phone } from '../phone/phone.ts';
import { createPerson, type Person } from '../phone/voice.ts';
import { addressOf, addressToward, type Pod } from './voice-agent.ts';

const patience = 15_000;

/** As the recogniser spells it. */
function plain(text: string): string {
  return text
    .toLowerCase()
    .replaceAll(/[.,?!]/g, '')
    .trim();
}

/** Somebody with a telephone outside of the cluster, who understands some phrases. */
export class Caller {
  readonly #person: Person;
  readonly #phones: Phone[] = [];

  constructor(phrases: readonly string[]) {
    this.#person = createPerson({ voice: 'rms', phrases: phrases.map(plain) });
  }

  /** Synthesises ahead what is to be said. */
  async rehearse(...texts: string[]): Promise<void> {
    await Promise.all(texts.map((text) => this.#person.rehearse(text)));
  }

  /** Calls the agent's pod and resolves when it has answered. */
  async dial(pod: Pod): Promise<Call> {
    const target = addressOf(pod, 'sip-udp');
    const address = await addressToward(target.split(':')[0] ?? '');
    const phone = await Phone.open({ user: 'caller', address });
    this.#phones.push(phone);
    const call = await phone.dial(`sip:pizza@${target}`);
    const limit = new AbortController();
    try {
      await Promise.race([
        call.answered,
        delay(10_000, undefined, { signal: limit.signal }).then(() => {
          throw new Error(`no answer from ${target} in 10 s`);
        }),
      ]);
    } finally {
      limit.abort();
    }
    return call;
  }

  /** What is said to the caller, from sample `from` of what he heard on; empty for nothing. */
  async hears(call: Call, from = 0): Promise<string> {
    return (await this.#person.listen(call, { from, patience }))?.text ?? '';
  }

  /** Says something and returns the answer. */
  async ask(call: Call, text: string): Promise<string> {
    const from = call.media.hearing.length;
    await this.#person.speak(call, text);
    return this.hears(call, from);
  }

  async close(): Promise<void> {
    await Promise.all(this.#phones.map((phone) => phone.close()));
    await this.#person.close();
  }
}
